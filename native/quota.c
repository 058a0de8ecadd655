#include "quota.h"

#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>

#include "kernel.h"

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#define PROJECT_QUOTA 2
/* As QCMD of linux/quota.h, which contradicts the C library's own header. */
#define COMMAND(command) ((unsigned)(command) << 8 | PROJECT_QUOTA)
#define BLOCK 512 /* bytes, in which limits are counted on every file system */

static long quotactl(int fd, unsigned command, uint32_t id, void *to)
{
	return syscall(SYS_quotactl_fd, fd, command, id, to);
}

static int check(int dir, const char *path, struct err *err)
{
	struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};

	if (quotactl(dir, COMMAND(Q_XGETQSTATV), 0, &state) < 0 ||
	    !(state.qs_flags & FS_QUOTA_PDQ_ENFD))
		return err_set(err, ENOTSUP, "no project quotas on the file system of %s", path);
	return 0;
}

static int limit(int dir, uint32_t project, uint64_t bytes, struct err *err)
{
	struct fs_disk_quota quota = {
	    .d_version = FS_DQUOT_VERSION,
	    .d_flags = FS_PROJ_QUOTA,
	    .d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT,
	    .d_id = project,
	    .d_blk_hardlimit = bytes / BLOCK,
	    .d_blk_softlimit = bytes / BLOCK,
	};

	if (quotactl(dir, COMMAND(Q_XSETQLIM), project, &quota) < 0)
		return err_errno(err, "set the quota of project %u", project);
	return 0;
}

/* By number: the C libraries disagree about the type of an ioctl. */
static int join(int dir, const char *path, uint32_t project, struct err *err)
{
	struct fsxattr attributes;

	if (syscall(SYS_ioctl, dir, FS_IOC_FSGETXATTR, &attributes) < 0)
		return err_errno(err, "look at the project of %s", path);
	attributes.fsx_projid = project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	if (syscall(SYS_ioctl, dir, FS_IOC_FSSETXATTR, &attributes) < 0)
		return err_errno(err, "set the project of %s", path);
	return 0;
}

int quota_op(const struct op *op, struct err *err)
{
	struct args args = args_of(op);
	const char *path = args_string(&args);
	uint64_t project = args_number(&args), bytes = args_number(&args);

	if (args_end(&args, err) < 0)
		return -1;
	if (project == 0 || project > UINT32_MAX)
		return err_set(err, EINVAL, "%llu is no project", (unsigned long long)project);
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, "open %s", path);
	if (check(dir, path, err) < 0 || limit(dir, (uint32_t)project, bytes, err) < 0)
		return -1;
	return bytes > 0 ? join(dir, path, (uint32_t)project, err) : 0;
}
