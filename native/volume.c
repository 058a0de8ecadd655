#include "mounts.h"

int mounts_fill_volume(struct launch *launch, const struct op *op, struct err *err)
{
	(void)launch;
	(void)op;
	return err_set(err, ENOSYS, "volumeInit");
}
