#pragma once

/*
 * Runs a program as root of a user namespace, with a network of its own: the engine of an ordinary
 * user. What keeps the namespaces is found again by the next engine of the same directory, so that
 * containers of the last one are its own.
 *
 * argv: DIRECTORY PROGRAM ARGUMENT…, the directory being the user's alone. Returns only on failure.
 */
int rootless_main(char **argv);
