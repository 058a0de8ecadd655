#include "tarwrite.h"

#define USTAR_ID 2097151u /* seven octal digits */
#define USTAR_SIZE 077777777777ull

static void octal(char *field, size_t size, uint64_t value)
{
	for (size_t at = size - 1; at-- > 0; value >>= 3)
		field[at] = (char)('0' + (value & 7));
}

/* `text` fills its field without a NUL where it is just as long (ustar allows that). */
static void put_text(char *field, size_t size, const char *text)
{
	memcpy(field, text, strnlen(text, size));
}

static void checksum(char *block)
{
	unsigned sum = 0;

	memset(block + 148, ' ', 8);
	for (int i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)block[i];
	octal(block + 148, 7, sum);
	block[154] = '\0';
}

static int put_block(struct sink *sink, const struct tar_header *header, struct err *err)
{
	char block[TAR_BLOCK] = {0};

	put_text(block, 100, header->path);
	octal(block + 100, 8, header->mode);
	octal(block + 108, 8, header->uid <= USTAR_ID ? header->uid : 0);
	octal(block + 116, 8, header->gid <= USTAR_ID ? header->gid : 0);
	octal(block + 124, 12, header->size <= USTAR_SIZE ? header->size : 0);
	octal(block + 136, 12,
	      header->mtime >= 0 && (uint64_t)header->mtime <= USTAR_SIZE ? (uint64_t)header->mtime
									  : 0);
	block[156] = header->type;
	put_text(block + 157, 100, header->link);
	memcpy(block + 257,
	       "ustar\0"
	       "00",
	       8);
	octal(block + 329, 8, header->major);
	octal(block + 337, 8, header->minor);
	checksum(block);
	return sink_write(sink, block, sizeof block, err);
}

int tar_record(char **records, size_t *used, const char *key, const void *value, size_t size,
	       struct err *err)
{
	/* The length counts itself: " key=value\n" and as many digits as that takes. */
	size_t body = strlen(key) + size + 3, length = body + 1;
	char digits[24];

	while (body + (size_t)snprintf(digits, sizeof digits, "%zu", length) != length)
		length = body + strlen(digits);
	char *more = realloc(*records, *used + length);
	if (!more)
		return err_errno(err, "memory for an extended header");
	*records = more;
	char *at = more + *used;
	at += sprintf(at, "%s %s=", digits, key);
	memcpy(at, value, size);
	at[size] = '\n';
	*used += length;
	return 0;
}

static int number_record(char **records, size_t *used, const char *key, int64_t value,
			 struct err *err)
{
	char text[24];
	int size = snprintf(text, sizeof text, "%lld", (long long)value);

	return tar_record(records, used, key, text, (size_t)size, err);
}

/* What ustar cannot say. */
static int extend(const struct tar_header *header, char **records, size_t *used, struct err *err)
{
	if (strlen(header->path) > 100 &&
	    tar_record(records, used, "path", header->path, strlen(header->path), err) < 0)
		return -1;
	if (strlen(header->link) > 100 &&
	    tar_record(records, used, "linkpath", header->link, strlen(header->link), err) < 0)
		return -1;
	if (header->uid > USTAR_ID &&
	    number_record(records, used, "uid", (int64_t)header->uid, err) < 0)
		return -1;
	if (header->gid > USTAR_ID &&
	    number_record(records, used, "gid", (int64_t)header->gid, err) < 0)
		return -1;
	if (header->size > USTAR_SIZE &&
	    number_record(records, used, "size", (int64_t)header->size, err) < 0)
		return -1;
	if ((header->mtime < 0 || (uint64_t)header->mtime > USTAR_SIZE) &&
	    number_record(records, used, "mtime", header->mtime, err) < 0)
		return -1;
	if (header->record_size == 0)
		return 0;
	char *more = realloc(*records, *used + header->record_size);
	if (!more)
		return err_errno(err, "memory for an extended header");
	memcpy(more + *used, header->records, header->record_size);
	*records = more;
	*used += header->record_size;
	return 0;
}

int tar_write_header(struct sink *sink, const struct tar_header *header, struct err *err)
{
	AUTO_FREE char *records = NULL;
	size_t used = 0;

	if (extend(header, &records, &used, err) < 0)
		return -1;
	if (used > 0) {
		struct tar_header extended = {.type = 'x',
					      .path = "PaxHeaders/extended",
					      .link = "",
					      .mode = 0644,
					      .size = used};

		if (put_block(sink, &extended, err) < 0 ||
		    sink_write(sink, records, used, err) < 0 ||
		    tar_write_padding(sink, used, err) < 0)
			return -1;
	}
	return put_block(sink, header, err);
}

int tar_write_padding(struct sink *sink, uint64_t size, struct err *err)
{
	return sink_zeros(sink, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK, err);
}

int tar_write_end(struct sink *sink, struct err *err)
{
	return sink_zeros(sink, 2 * TAR_BLOCK, err);
}
