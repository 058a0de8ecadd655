#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "log.h"

#define LOG_BUFFER (256u << 10)

static int take_texts(struct log *log, const char *path, const char *attrs, struct err *err)
{
	if (strlen(attrs) > LOG_ATTRS)
		return err_set(err, E2BIG, "more than %d bytes of log attributes", LOG_ATTRS);
	if (*attrs && !(log->form.attrs = strdup(attrs)))
		return err_errno(err, "memory for attributes");
	log->path = strdup(path);
	return log->path ? 0 : err_errno(err, "memory for a path");
}

int log_open(struct log *log, const struct log_options *options, struct err *err)
{
	const char *path = options->path;
	struct stat st;

	log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return err_errno(err, "open the log %s", path);
	log->size = (uint64_t)st.st_size;
	log->max_size = options->max_size;
	log->max_files = options->max_files > 0 ? options->max_files : 1;
	log->next = options->next;
	log->form.binary = options->binary;
	return take_texts(log, path, options->attrs, err);
}

/* path.1 is the newest of the old ones; the last of max_files goes. */
static void shift(const struct log *log, char *from, char *to, size_t room)
{
	for (unsigned i = log->max_files - 1; i > 0; i--) {
		snprintf(to, room, "%s.%u", log->path, i);
		if (i > 1)
			snprintf(from, room, "%s.%u", log->path, i - 1);
		else
			snprintf(from, room, "%s", log->path);
		(void)rename(from, to);
	}
}

/*
 * Every old file keeps the number that it gets, so that the engine can compress it at its leisure;
 * the highest is the newest. Both forms of the one that is too many go.
 */
static void number(struct log *log, char *to, size_t room)
{
	uint64_t kept = log->max_files - 1;

	snprintf(to, room, "%s.%llu", log->path, (unsigned long long)log->next);
	if (kept == 0 || rename(log->path, to) < 0)
		return;
	if (log->next > kept) {
		unsigned long long gone = log->next - kept;

		snprintf(to, room, "%s.%llu", log->path, gone);
		(void)unlink(to);
		snprintf(to, room, "%s.%llu.gz", log->path, gone);
		(void)unlink(to);
	}
	log->next++;
}

static void rotate(struct log *log)
{
	size_t room = strlen(log->path) + 32;
	AUTO_FREE char *from = malloc(room);
	AUTO_FREE char *to = malloc(room);

	if (!from || !to)
		return;
	if (log->next > 0)
		number(log, to, room);
	else
		shift(log, from, to, room);
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(log->path, flags, 0640);
	if (fd < 0)
		return;
	close(log->fd);
	log->fd = fd;
	log->size = 0;
	log->rotated = true;
}

/* Whole entries only: what the disk took of one that it could not take whole is cut off again. */
static void flush(struct log *log)
{
	size_t done = 0;

	while (done < log->used) {
		ssize_t n = write(log->fd, log->buffer + done, log->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (done > 0 && ftruncate(log->fd, (off_t)log->size) == 0)
				done = 0;
			break;
		}
		done += (size_t)n;
	}
	log->size += done;
	log->used = 0;
}

static void add(struct log *log, int stream, const char *text, size_t size,
		const struct timespec *now)
{
	if (log->used + log_entry_room(&log->form, size) > LOG_BUFFER)
		flush(log);
	size_t length = log_entry(&log->form, log->buffer + log->used, stream, text, size, now);

	/* A file ends with the entry that reaches the limit, as Docker's does. */
	log->used += length;
	if (log->max_size > 0 && log->size + log->used >= log->max_size) {
		flush(log);
		rotate(log);
	}
}

/* Memory that is only touched when there is output; log_trim() gives it back. */
static char *reserve(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static bool ready(struct log *log, struct log_part *part)
{
	if (!log->buffer)
		log->buffer = reserve(LOG_BUFFER);
	if (!part->text)
		part->text = reserve(LOG_LINE);
	return log->path && log->buffer && part->text;
}

void log_write(struct log *log, int stream, const char *data, size_t size)
{
	struct log_part *part = &log->part[stream];
	struct timespec now;

	if (!ready(log, part))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	while (size > 0) {
		const char *newline = memchr(data, '\n', size);
		size_t line = newline ? (size_t)(newline - data) + 1 : size;

		if (part->used == 0 && newline && line <= LOG_LINE) {
			add(log, stream, data, line, &now);
		} else {
			size_t room = LOG_LINE - part->used;
			if (line > room)
				line = room;
			memcpy(part->text + part->used, data, line);
			part->used += line;
			if (part->used == LOG_LINE || part->text[part->used - 1] == '\n') {
				add(log, stream, part->text, part->used, &now);
				part->used = 0;
			}
		}
		data += line;
		size -= line;
	}
	flush(log);
}

void log_trim(struct log *log)
{
	if (log->buffer)
		madvise(log->buffer, LOG_BUFFER, MADV_DONTNEED);
	for (int i = 0; i < 2; i++)
		if (log->part[i].text && log->part[i].used == 0)
			madvise(log->part[i].text, LOG_LINE, MADV_DONTNEED);
}

void log_finish(struct log *log, int stream)
{
	struct log_part *part = &log->part[stream];
	struct timespec now;

	if (part->used == 0 || !ready(log, part))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	add(log, stream, part->text, part->used, &now);
	part->used = 0;
	flush(log);
}

void log_close(struct log *log)
{
	if (log->path)
		close(log->fd);
	free(log->path);
	free(log->form.attrs);
	log->path = NULL;
	if (log->buffer)
		munmap(log->buffer, LOG_BUFFER);
	for (int i = 0; i < 2; i++)
		if (log->part[i].text)
			munmap(log->part[i].text, LOG_LINE);
	*log = (struct log){.fd = -1};
}
