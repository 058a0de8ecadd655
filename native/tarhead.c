#include "tarhead.h"

#include "pax.h"
#include "tarsparse.h"

/* Offsets in a header block. Source: tar(5), "POSIX ustar Archives" and "GNU tar Archives". */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_SUM = 148,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	AT_PREFIX = 345,
};

int tar_reader_open(struct tar_reader *reader, struct source *source, struct err *err)
{
	*reader = (struct tar_reader){.source = source, .pax = calloc(1, sizeof *reader->pax)};
	return reader->pax ? 0 : err_errno(err, "memory for an archive");
}

static void entry_clear(struct tar_entry *entry)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		free(entry->xattrs[i].name);
		free(entry->xattrs[i].value);
	}
	free(entry->pieces);
	entry->xattr_count = 0;
	entry->pieces = NULL;
	entry->piece_count = 0;
	entry->sparse = false;
}

void tar_reader_close(struct tar_reader *reader)
{
	entry_clear(&reader->entry);
	if (reader->pax)
		pax_clear(reader->pax);
	free(reader->pax);
	reader->pax = NULL;
}

int tar_broken(const struct tar_reader *reader, struct err *err, const char *what)
{
	return err_set(err, EBADMSG, "archive header %llu: %s", (unsigned long long)reader->headers,
		       what);
}

/* Octal digits between optional blanks, or GNU's base 256 with sign. Returns false if it is
 * neither. */
bool tar_number(const unsigned char *at, size_t size, int64_t *value)
{
	uint64_t sum = 0;
	size_t i = 0;

	if (at[0] & 0x80) {
		bool negative = at[0] & 0x40;

		sum = negative ? ~0ULL : 0;
		for (; i < size; i++) {
			unsigned char byte =
			    i > 0 ? at[i] : (unsigned char)(negative ? at[0] : at[0] & 0x7f);

			if (sum >> 55 != 0 && sum >> 55 != 0x1ff)
				return false;
			sum = sum << 8 | byte;
		}
		*value = (int64_t)sum;
		return negative == (*value < 0);
	}
	while (i < size && at[i] == ' ')
		i++;
	for (; i < size && at[i] >= '0' && at[i] <= '7'; i++) {
		if (sum >> 60)
			return false;
		sum = sum << 3 | (uint64_t)(at[i] - '0');
	}
	for (; i < size; i++)
		if (at[i] != ' ' && at[i] != '\0')
			return false;
	*value = (int64_t)sum;
	return true;
}

static bool checksum_holds(const unsigned char *block)
{
	int64_t wanted, plain = 0, with_sign = 0;

	for (int i = 0; i < TAR_BLOCK; i++) {
		unsigned char byte = i >= AT_SUM && i < AT_SUM + 8 ? ' ' : block[i];

		plain += byte;
		with_sign += (signed char)byte;
	}
	/* Old writers added up signed characters. */
	return tar_number(block + AT_SUM, 8, &wanted) && (wanted == plain || wanted == with_sign);
}

static bool is_zero(const unsigned char *block)
{
	for (int i = 0; i < TAR_BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

/* Reads the payload of an extended header or a long name, NUL-terminated. */
static char *meta(struct tar_reader *reader, uint64_t size, struct err *err)
{
	char padding[TAR_BLOCK];

	if (size > TAR_META_LIMIT) {
		err_set(err, E2BIG, "archive header %llu: an extended header of %llu bytes",
			(unsigned long long)reader->headers, (unsigned long long)size);
		return NULL;
	}
	char *data = malloc(size + 1);
	if (!data) {
		err_errno(err, "memory for an extended header");
		return NULL;
	}
	unsigned fill = (unsigned)(TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
	if ((size > 0 && source_read(reader->source, data, size, err) != 1) ||
	    (fill > 0 && source_read(reader->source, padding, fill, err) != 1)) {
		if (!err->text[0])
			tar_broken(reader, err, "the archive is cut off");
		free(data);
		return NULL;
	}
	data[size] = '\0';
	return data;
}

static int long_name(struct tar_reader *reader, unsigned bit, char *to, uint64_t size,
		     struct err *err)
{
	AUTO_FREE char *data = meta(reader, size, err);

	if (!data)
		return -1;
	if (strlen(data) >= TAR_PATH)
		return err_set(err, ENAMETOOLONG, "archive header %llu: a name of %zu bytes",
			       (unsigned long long)reader->headers, strlen(data));
	strcpy(to, data);
	reader->pax->has |= bit;
	return 0;
}

static int extended(struct tar_reader *reader, uint64_t size, struct err *err)
{
	AUTO_FREE char *data = meta(reader, size, err);

	return data ? pax_parse(reader->pax, data, size, err) : -1;
}

/* Makes of all header forms one entry. */
static int fill_entry(struct tar_reader *reader, const unsigned char *block, struct err *err)
{
	struct tar_entry *entry = &reader->entry;
	struct pax *pax = reader->pax;
	int64_t mode, uid, gid, size, mtime, major = 0, minor = 0;
	bool ustar = memcmp(block + AT_MAGIC, "ustar\0", 6) == 0;

	entry->type = block[AT_TYPE] ? (char)block[AT_TYPE] : '0';
	if (!tar_number(block + AT_MODE, 8, &mode) || !tar_number(block + AT_UID, 8, &uid) ||
	    !tar_number(block + AT_GID, 8, &gid) || !tar_number(block + AT_SIZE, 12, &size) ||
	    !tar_number(block + AT_MTIME, 12, &mtime))
		return tar_broken(reader, err, "a bad number");
	if (entry->type == '3' || entry->type == '4')
		if (!tar_number(block + AT_MAJOR, 8, &major) ||
		    !tar_number(block + AT_MINOR, 8, &minor) || major < 0 || minor < 0 ||
		    major > 0xfff || minor > 0xfffff)
			return tar_broken(reader, err, "a bad device number");
	if (pax->has & PAX_PATH)
		strcpy(entry->path, pax->path);
	else if (ustar && block[AT_PREFIX])
		snprintf(entry->path, TAR_PATH, "%.155s/%.100s", (const char *)block + AT_PREFIX,
			 (const char *)block);
	else
		snprintf(entry->path, TAR_PATH, "%.100s", (const char *)block + AT_NAME);
	if (pax->has & PAX_LINK)
		strcpy(entry->link, pax->link);
	else
		snprintf(entry->link, TAR_PATH, "%.100s", (const char *)block + AT_LINK);
	if (size < 0)
		return tar_broken(reader, err, "a negative size");
	entry->mode = (mode_t)mode & 07777;
	entry->size = pax->has & PAX_SIZE ? pax->size : (uint64_t)size;
	entry->uid = pax->has & PAX_UID ? pax->uid : (uint64_t)uid;
	entry->gid = pax->has & PAX_GID ? pax->gid : (uint64_t)gid;
	/* (uid_t)-1 would mean "unchanged" to chown(2). */
	if (entry->uid >= UINT32_MAX || entry->gid >= UINT32_MAX)
		return tar_broken(reader, err, "a user or group id out of range");
	entry->mtime = pax->has & PAX_MTIME ? pax->mtime : (struct timespec){.tv_sec = mtime};
	entry->major = (unsigned)major;
	entry->minor = (unsigned)minor;
	entry->real = entry->size;
	/* Before POSIX a directory was a file whose name ends in a slash. */
	size_t length = strlen(entry->path);
	if (entry->type == '7' || entry->type == 'S')
		entry->type = '0';
	else if (entry->type == '0' && length > 0 && entry->path[length - 1] == '/')
		entry->type = '5';
	memcpy(entry->xattrs, pax->xattrs, pax->xattr_count * sizeof *pax->xattrs);
	entry->xattr_count = pax->xattr_count;
	pax->xattr_count = 0;
	if (pax->piece_count > 0 || pax->has & PAX_SPARSE_1) {
		entry->sparse = true;
		entry->pieces = pax->pieces;
		entry->piece_count = pax->piece_count;
		pax->pieces = NULL;
		pax->piece_count = 0;
	}
	if (pax->has & PAX_REAL)
		entry->real = pax->real;
	return 0;
}

/* Starts the entry whose header is `block`. */
static int begin(struct tar_reader *reader, const unsigned char *block, struct err *err)
{
	struct tar_entry *entry = &reader->entry;
	bool map_first = reader->pax->has & PAX_SPARSE_1;

	if (fill_entry(reader, block, err) < 0)
		return -1;
	if (block[AT_TYPE] == 'S' && tar_sparse_gnu(reader, block, err) < 0)
		return -1;
	pax_clear(reader->pax);
	/* Links and special files may name a size, but no data follows (POSIX); of unknown types
	 * data does. */
	bool has_data = !(entry->type >= '1' && entry->type <= '6');
	reader->data_left = has_data ? entry->size : 0;
	reader->padding = (unsigned)(TAR_BLOCK - reader->data_left % TAR_BLOCK) % TAR_BLOCK;
	if (map_first && tar_sparse_map(reader, err) < 0)
		return -1;
	return entry->sparse && entry->type == '0' ? tar_sparse_check(reader, err) : 0;
}

/* Reads what describes the next entry. Returns 1 if `block` was such a header, 0 if it is the entry
 * itself. */
static int describe(struct tar_reader *reader, const unsigned char *block, struct err *err)
{
	int64_t size;

	if (!strchr("xXgLK", block[AT_TYPE] ? block[AT_TYPE] : '0'))
		return 0;
	if (!tar_number(block + AT_SIZE, 12, &size) || size < 0)
		return tar_broken(reader, err, "a bad size");
	switch (block[AT_TYPE]) {
	case 'L':
		return long_name(reader, PAX_PATH, reader->pax->path, (uint64_t)size, err) < 0 ? -1
											       : 1;
	case 'K':
		return long_name(reader, PAX_LINK, reader->pax->link, (uint64_t)size, err) < 0 ? -1
											       : 1;
	case 'g': {
		/* Global headers carry comments (git archive); what they could set, writers repeat
		 * per entry. */
		AUTO_FREE char *data = meta(reader, (uint64_t)size, err);

		return data ? 1 : -1;
	}
	default:
		return extended(reader, (uint64_t)size, err) < 0 ? -1 : 1;
	}
}

int tar_next(struct tar_reader *reader, struct err *err)
{
	unsigned char block[TAR_BLOCK];

	if (source_skip(reader->source, reader->data_left + reader->padding, err) < 0)
		return -1;
	reader->data_left = 0;
	reader->padding = 0;
	entry_clear(&reader->entry);
	for (;;) {
		int got = source_read(reader->source, block, sizeof block, err);

		if (got < 0)
			return -1;
		/* A missing end mark is common enough, and so is nothing at all; half an entry is
		 * not. */
		if (got == 0)
			return reader->pax->has == 0
				   ? 0
				   : tar_broken(reader, err, "the archive is cut off");
		if (is_zero(block) && reader->concatenated)
			continue;
		if (is_zero(block))
			return 0;
		reader->headers++;
		if (!checksum_holds(block))
			return tar_broken(reader, err, "not a tar header (wrong checksum)");
		int described = describe(reader, block, err);
		if (described < 0)
			return -1;
		if (described == 0)
			return begin(reader, block, err) < 0 ? -1 : 1;
	}
}

ssize_t tar_peek(struct tar_reader *reader, const char **data, struct err *err)
{
	if (reader->data_left == 0)
		return 0;
	ssize_t n = source_peek(reader->source, data, err);
	if (n == 0)
		return tar_broken(reader, err, "the archive is cut off");
	return n > 0 && (uint64_t)n > reader->data_left ? (ssize_t)reader->data_left : n;
}

void tar_take(struct tar_reader *reader, size_t size)
{
	source_take(reader->source, size);
	reader->data_left -= size;
}
