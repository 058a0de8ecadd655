#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "json.h"
#include "log.h"

#define LOG_BUFFER (256u << 10)
#define LOG_FRAME 96 /* what an entry has around its text */

int log_open(struct log *log, const char *path, uint64_t max_size, unsigned max_files,
	     struct err *err)
{
	struct stat st;

	log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return err_errno(err, "open the log %s", path);
	log->path = strdup(path);
	if (!log->path)
		return err_errno(err, "memory for a path");
	log->size = (uint64_t)st.st_size;
	log->max_size = max_size;
	log->max_files = max_files > 0 ? max_files : 1;
	return 0;
}

size_t log_entry_room(size_t size)
{
	return 6 * size + LOG_FRAME;
}

/* RFC 3339 with as many digits of the second as there are, as Go's RFC3339Nano. */
static size_t timestamp(char *to, const struct timespec *time)
{
	struct tm tm;

	gmtime_r(&time->tv_sec, &tm);
	int used =
	    sprintf(to, "%04d-%02d-%02dT%02d:%02d:%02d.%09ld", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, time->tv_nsec);
	while (to[used - 1] == '0')
		used--;
	if (to[used - 1] == '.')
		used--;
	to[used++] = 'Z';
	return (size_t)used;
}

static size_t put(char *to, const char *text)
{
	size_t size = strlen(text);

	memcpy(to, text, size);
	return size;
}

size_t log_entry(char *to, int stream, const char *text, size_t size, const struct timespec *time)
{
	char *at = to;

	at += put(at, "{\"log\":\"");
	at += json_escape(at, text, size);
	at += put(at, stream == 0 ? "\",\"stream\":\"stdout\",\"time\":\""
				  : "\",\"stream\":\"stderr\",\"time\":\"");
	at += timestamp(at, time);
	at += put(at, "\"}\n");
	return (size_t)(at - to);
}

/* path.1 is the newest of the old ones; the last of max_files goes. */
static void rotate(struct log *log)
{
	size_t room = strlen(log->path) + 16;
	AUTO_FREE char *from = malloc(room);
	AUTO_FREE char *to = malloc(room);

	if (!from || !to)
		return;
	for (unsigned i = log->max_files - 1; i > 0; i--) {
		snprintf(to, room, "%s.%u", log->path, i);
		if (i > 1)
			snprintf(from, room, "%s.%u", log->path, i - 1);
		else
			snprintf(from, room, "%s", log->path);
		(void)rename(from, to);
	}
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
	if (log->used + log_entry_room(size) > LOG_BUFFER)
		flush(log);
	size_t length = log_entry(log->buffer + log->used, stream, text, size, now);

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
	log->path = NULL;
	if (log->buffer)
		munmap(log->buffer, LOG_BUFFER);
	for (int i = 0; i < 2; i++)
		if (log->part[i].text)
			munmap(log->part[i].text, LOG_LINE);
	*log = (struct log){.fd = -1};
}
