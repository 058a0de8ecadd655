#pragma once
#include "job.h"

/*
 * Starts a program in a container whose first process is named by its PID: for an OCI runtime's
 * `exec --detach`, whose caller waits for the program itself. Answers with its PID.
 */
int join_run(struct job *job);
