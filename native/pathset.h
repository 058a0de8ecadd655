#pragma once
#include "ops.h"

/* Paths to look up, sorted. They stay the request's. */
struct path_set {
	struct field *list;
	size_t count;
};

int path_set_make(struct path_set *set, const struct field *list, size_t count, struct err *err);
void path_set_free(struct path_set *set);
bool path_set_has(const struct path_set *set, const char *path);
/* Whether one of them lies beneath the directory `path`; "" is above all. */
bool path_set_leads_to(const struct path_set *set, const char *path);
