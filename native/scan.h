#pragma once
/* Looking at everything in a build context, as a build of it needs: what tells a changed file. */
#include "job.h"

enum { OP_SCAN = 330 };

/*
 * OP_SCAN: list of paths | list of names. Neither these paths nor what has these names is looked
 * into. Sends entries, sorted by name within a directory, the root first: u16 path | u16 link | u16
 * mode with type | u64 size | u64 device | u64 inode | i64 mtime | i64 ctime (nanoseconds) | path |
 * link. Of a directory, and of what is passed over, only mode and path are told. Ends with u64
 * entries.
 */
int job_scan(struct job *job);
