#pragma once

/*
 * Listens on the pathname socket `path` and runs a job for each connection, in a child, until
 * standard input ends. Returns the exit status.
 */
int spawner_main(const char *program, const char *path);

/* Runs one job, whose connection is descriptor 3, with the caller's stdio. Returns the exit status.
 */
int job_main(const char *program);
