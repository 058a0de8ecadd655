#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

/* Cleanup by scope. A descriptor that outlives its scope is handed over by take_fd(). */
#define AUTO_CLOSE __attribute__((cleanup(close_fd)))
#define AUTO_FREE __attribute__((cleanup(free_pointer)))
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
/* The structure around `pointer`, which is its member `member`. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Reads exactly `size` bytes; signals are waited out. Returns 0, or -1 with errno (EPIPE: end of
 * file before that). */
int read_full(int fd, void *data, size_t size);
/* Writes all of `data`; signals are waited out. Returns 0, or -1 with errno. */
int write_full(int fd, const void *data, size_t size);
/* Reads up to the end of file or `limit` bytes, whichever comes first. Returns the count, or -1
 * with errno. */
ssize_t read_some(int fd, void *data, size_t limit);
/* Writes `text` by one write(2), as files of /proc and cgroups need it. Returns 0, or -1 with
 * errno. */
int write_text_at(int dir, const char *path, const char *text);

static inline uint16_t get_u16(const void *from)
{
	const uint8_t *b = from;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t get_u32(const void *from)
{
	const uint8_t *b = from;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t get_u64(const void *from)
{
	return get_u32(from) | (uint64_t)get_u32((const uint8_t *)from + 4) << 32;
}

static inline void put_u32(void *to, uint32_t value)
{
	uint8_t *b = to;

	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(value >> 8 * i);
}

static inline void put_u64(void *to, uint64_t value)
{
	put_u32(to, (uint32_t)value);
	put_u32((uint8_t *)to + 4, (uint32_t)(value >> 32));
}
