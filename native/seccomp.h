#pragma once
#include <stddef.h>

#include "err.h"

/* Loads a filter of `size` bytes of struct sock_filter; needs CAP_SYS_ADMIN or no_new_privs. */
int seccomp_load(const void *filter, size_t size, struct err *err);
