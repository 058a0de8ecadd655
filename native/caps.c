#include <linux/capability.h>
#include <sys/prctl.h>

#include "caps.h"
#include "kernel.h"

#define CAP_COUNT 64

int caps_bound(uint64_t bounding, struct err *err)
{
	for (int cap = 0; cap < CAP_COUNT; cap++) {
		if (bounding >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		/* The first number that this kernel does not know. */
		if (errno == EINVAL)
			break;
		return err_errno(err, "drop capability %d from the bounding set", cap);
	}
	return 0;
}

/*
 * What this process itself may still give: an engine in a container has fewer than all, and no
 * kernel gives bits that it does not know, of which a "privileged" set has some.
 */
static int held(uint64_t *permitted, struct err *err)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return err_errno(err, "capget");
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

int caps_set(const struct caps *caps, struct err *err)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	uint64_t may = 0;

	if (held(&may, err) < 0)
		return -1;
	uint64_t permitted = caps->permitted & may, effective = caps->effective & permitted;
	uint64_t inheritable = caps->inheritable & may;
	struct __user_cap_data_struct data[2] = {
	    {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
	    {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32),
	     (uint32_t)(inheritable >> 32)},
	};
	if (syscall(SYS_capset, &head, data) < 0)
		return err_errno(err, "capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_errno(err, "clear the ambient set");
	for (int cap = 0; cap < CAP_COUNT; cap++)
		if (caps->ambient & permitted & inheritable & 1ull << cap &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_errno(err, "raise ambient capability %d", cap);
	return 0;
}
