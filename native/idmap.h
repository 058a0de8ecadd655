#pragma once
#include <sys/types.h>

#include "err.h"

/*
 * Writes the id maps of a process of ours that has just made a user namespace: the user is root in
 * it, and the subordinate ids of /etc/subuid and /etc/subgid follow, from 1 on.
 *
 * Returns 0, or -1 with *err set, which says what has to be installed or given to the user.
 */
int idmap_write(pid_t pid, uid_t uid, gid_t gid, struct err *err);
