#pragma once
#include "job.h"

enum { OP_CHANGES = 305 };

/*
 * OP_CHANGES, after the upper directory's tree and that of the layers below: has lowers. Sends "0"
 * changed, "1" added or "2" deleted and the path, ended by NUL, for each difference.
 */
int job_changes(struct job *job);
