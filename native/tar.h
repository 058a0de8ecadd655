#pragma once
#include "job.h"

enum { OP_TAR = 302 };

/*
 * OP_TAR: path | has name | name | layer | has time | seconds | one file system | own | uid | gid.
 *
 * Sends the archive of what is at `path`, sorted by name: the same tree gives the same bytes. Times
 * are whole seconds, as in Docker's layers. In the form of a layer, overlayfs's whiteouts become
 * `.wh.` entries.
 */
int job_tar(struct job *job);

/*
 * No options: a layer is packed into a hash. Answers u64 bytes of regular files, each inode once |
 * u64 bytes of the archive | its SHA-256.
 */
int job_identify(struct job *job);
