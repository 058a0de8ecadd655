#include <sys/resource.h>

#include "rlimit.h"

int rlimit_set(int resource, uint64_t soft, uint64_t hard, struct err *err)
{
	struct rlimit now, limit = {soft, hard};

	if (setrlimit(resource, &limit) == 0)
		return 0;
	if (errno == EPERM && getrlimit(resource, &now) == 0 && hard > now.rlim_max) {
		limit.rlim_max = now.rlim_max;
		limit.rlim_cur = soft > now.rlim_max ? now.rlim_max : soft;
		if (setrlimit(resource, &limit) == 0)
			return 0;
	}
	return err_errno(err, "set resource limit %d", resource);
}
