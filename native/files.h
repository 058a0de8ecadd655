#pragma once
/* Single files of a tree. Each function runs one job whose first operation is the tree and the
 * second its arguments. */
#include "job.h"
#include "source.h"

struct stat;

/* type u8 | mode u16 | uid u32 | gid u32 | size u64 | mtime ns i64 | major u32 | minor u32 | inode
 * u64 | links u32 */
#define FILE_FACTS 47

enum { OP_FILE = 310 };

/* Writes the facts that the daemon reads (engine/native/facts.ts). */
void file_facts(const struct stat *stat, uint8_t to[FILE_FACTS]);

/* Opens a directory beneath `root`, made with its missing parents (0755, root's). Returns it, or -1
 * with *err set. */
int files_make(int root, const char *path, struct err *err);

/* OP_FILE: path | follow. Answers u8 found, facts, then the link's target, u8 0 and the resolved
 * path. */
int job_stat(struct job *job);
/* OP_FILE: path | limit. Answers with the content. ENOENT, EISDIR, EINVAL (no regular file), EFBIG.
 */
int job_read(struct job *job);
/* OP_FILE: path | mode | uid | gid | content. */
int job_write(struct job *job);
/* OP_FILE: path | mode | uid | gid. */
int job_mkdir(struct job *job);
/*
 * OP_FILE: path. Asks ext4 to begin each directory made in this one in another part of the disk.
 * Answers the same where the file system knows nothing of it.
 *
 * Without it new layers go where removed ones were, and for a minute ext4 looks through those it
 * must not use again: unpacking then took ten times as long.
 */
int job_spread(struct job *job);
/* OP_FILE: path. */
int job_remove(struct job *job);
