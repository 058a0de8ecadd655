#include "copyfile.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define CLONE_FILE 0x40049409u /* FICLONE of linux/fs.h */
#define STEP (1u << 20)

#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

static int through_memory(int from, int to, off_t at, uint64_t size, const char *shown,
			  struct err *err)
{
	static char buffer[256 << 10];

	while (size > 0) {
		size_t part = size < sizeof buffer ? (size_t)size : sizeof buffer;
		ssize_t n = pread(from, buffer, part, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read %.180s", shown);
		if (n == 0)
			return 0; /* it became shorter */
		for (ssize_t done = 0; done < n;) {
			ssize_t written = pwrite(to, buffer + done, (size_t)(n - done), at + done);

			if (written < 0 && errno == EINTR)
				continue;
			if (written < 0)
				return err_errno(err, "write %.180s", shown);
			done += written;
		}
		at += n;
		size -= (uint64_t)n;
	}
	return 0;
}

static int copy_piece(int from, int to, off_t at, uint64_t size, const char *shown, struct err *err)
{
	off_t in = at, out = at;

	while (size > 0) {
		size_t part = size < STEP ? (size_t)size : STEP;
		ssize_t n = copy_file_range(from, &in, to, &out, part, 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* Other file systems than this one's, or a kernel that does not do it between them.
		 */
		if (n <= 0)
			return through_memory(from, to, in, size, shown, err);
		size -= (uint64_t)n;
	}
	return 0;
}

int copy_data(int from, int to, uint64_t size, const char *shown, struct err *err)
{
	if (size == 0 || ioctl(to, CLONE_FILE, from) == 0)
		return 0;
	off_t data = lseek(from, 0, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		return copy_piece(from, to, 0, size, shown, err);
	while (data >= 0 && (uint64_t)data < size) {
		off_t hole = lseek(from, data, SEEK_HOLE);
		uint64_t end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;

		if (copy_piece(from, to, data, end - (uint64_t)data, shown, err) < 0)
			return -1;
		data = lseek(from, (off_t)end, SEEK_DATA);
	}
	return ftruncate(to, (off_t)size) < 0 ? err_errno(err, "write %.180s", shown) : 0;
}

int copy_xattrs(int from, int to, const char *shown, struct err *err)
{
	static char names[65536], value[65536];
	ssize_t size = flistxattr(from, names, sizeof names);

	for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		if (strncmp(name, "trusted.overlay.", 16) == 0 ||
		    strncmp(name, "user.overlay.", 13) == 0 ||
		    strcmp(name, "security.selinux") == 0)
			continue;
		ssize_t n = fgetxattr(from, name, value, sizeof value);
		if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != ENOTSUP)
			return err_errno(err, "set %.60s of %.120s", name, shown);
	}
	return 0;
}
