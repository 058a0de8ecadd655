#pragma once
#include <stdint.h>

#include "err.h"

/*
 * Sets a limit of this process. A hard limit above what may be set becomes the highest that may:
 * raising one needs CAP_SYS_RESOURCE, which an engine in a container or a VM often lacks.
 */
int rlimit_set(int resource, uint64_t soft, uint64_t hard, struct err *err);
