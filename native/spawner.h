#pragma once

/*
 * Listens on the pathname socket `path` and runs a job for each connection, in a child, until
 * standard input ends. Returns the exit status.
 */
int spawner_main(const char *program, const char *path);

/*
 * Runs one job, whose connection is descriptor 3, with the caller's stdio. argv[2], if it is there,
 * is the number of descriptors from 4 on that are kept for the program. Returns the exit status.
 */
int job_main(char *const argv[]);
