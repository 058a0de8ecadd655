#pragma once
#include "job.h"

enum { OP_COPY = 304 };

/*
 * OP_COPY, after the tree to copy from and the tree to copy to: list items, three strings each:
 * source, target, "contents" or "" | list of source paths left out | has only | list of the only
 * source paths | own | uid | gid | mode ("": keep) | has time | seconds | link. Answers u64 entries
 * | u64 bytes.
 */
int job_copy(struct job *job);
