#pragma once
#include <sys/types.h>

#include "err.h"

/*
 * Writes the id maps of a process of ours that has just made a user namespace: the user is root in
 * it, and the subordinate ids of /etc/subuid and /etc/subgid follow, from 1 on.
 *
 * Returns 1; 0 if there are none, or newuidmap is not installed: then there is root alone, and no
 * image with more users can be unpacked; -1 with *err set.
 */
int idmap_write(pid_t pid, uid_t uid, gid_t gid, struct err *err);
