#include "pathset.h"

#include <limits.h>

static int by_bytes(const void *a, const void *b)
{
	return strcmp(((const struct field *)a)->data, ((const struct field *)b)->data);
}

int path_set_make(struct path_set *set, const struct field *list, size_t count, struct err *err)
{
	*set = (struct path_set){calloc(count + 1, sizeof *set->list), count};
	if (!set->list)
		return err_errno(err, "memory for a list of paths");
	memcpy(set->list, list, count * sizeof *list);
	qsort(set->list, count, sizeof *set->list, by_bytes);
	return 0;
}

void path_set_free(struct path_set *set)
{
	free(set->list);
	*set = (struct path_set){0};
}

bool path_set_has(const struct path_set *set, const char *path)
{
	struct field key = {(char *)(uintptr_t)path, 0};

	return set->count > 0 && bsearch(&key, set->list, set->count, sizeof key, by_bytes);
}

bool path_set_leads_to(const struct path_set *set, const char *path)
{
	char prefix[PATH_MAX + 2];
	size_t length = (size_t)snprintf(prefix, sizeof prefix, "%s%s", path, *path ? "/" : "");
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(set->list[middle].data, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && strncmp(set->list[low].data, prefix, length) == 0;
}
