#pragma once
#include "err.h"
#include "util.h"

/* Bit n is capability n of linux/capability.h. */
struct caps {
	uint64_t bounding, permitted, effective, inheritable, ambient;
};

/* Drops from the bounding set what is not in it. Needs CAP_SETPCAP. */
int caps_bound(uint64_t bounding, struct err *err);
/* Sets the four other sets; after the user has been changed with its capabilities kept. */
int caps_set(const struct caps *caps, struct err *err);
