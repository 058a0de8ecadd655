#include "pax.h"

void pax_clear(struct pax *pax)
{
	for (size_t i = 0; i < pax->xattr_count; i++) {
		free(pax->xattrs[i].name);
		free(pax->xattrs[i].value);
	}
	free(pax->pieces);
	pax->xattr_count = 0;
	pax->pieces = NULL;
	pax->piece_count = 0;
	pax->has = 0;
}

int pax_number(const char *text, const char *end, uint64_t *value, struct err *err)
{
	*value = 0;
	if (text == end)
		return err_set(err, EBADMSG, "an extended header has an empty number");
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return err_set(err, EBADMSG, "an extended header has a bad number");
		unsigned digit = (unsigned)(*text - '0');
		if (*value > ((uint64_t)INT64_MAX - digit) / 10)
			return err_set(err, EOVERFLOW,
				       "an extended header has a number that is too large");
		*value = *value * 10 + digit;
	}
	return 0;
}

int pax_piece(struct tar_piece **pieces, size_t *count, uint64_t offset, uint64_t size,
	      struct err *err)
{
	const struct tar_piece *last = *count > 0 ? *pieces + *count - 1 : NULL;

	if (*count >= TAR_SPARSE)
		return err_set(err, E2BIG, "a sparse file of more than %u pieces", TAR_SPARSE);
	if (offset > INT64_MAX || size > INT64_MAX - offset ||
	    (last && offset < last->offset + last->size))
		return err_set(err, EBADMSG, "the map of a sparse file does not ascend");
	if ((*count & (*count - 1)) == 0) {
		struct tar_piece *more =
		    realloc(*pieces, (*count > 0 ? *count * 2 : 1) * sizeof *more);

		if (!more)
			return err_errno(err, "memory for a sparse file's map");
		*pieces = more;
	}
	(*pieces)[(*count)++] = (struct tar_piece){offset, size};
	return 0;
}

static int take_text(char *to, const char *value, size_t size, const char *key, struct err *err)
{
	if (size >= TAR_PATH)
		return err_set(err, ENAMETOOLONG, "%s of %zu bytes is too long", key, size);
	if (memchr(value, '\0', size))
		return err_set(err, EBADMSG, "%s has a NUL inside", key);
	memcpy(to, value, size);
	to[size] = '\0';
	return 0;
}

/* `[-]seconds[.fraction]`; digits beyond nanoseconds are dropped. */
static int take_time(struct timespec *time, const char *at, const char *end, struct err *err)
{
	bool negative = at < end && *at == '-';
	const char *dot = memchr(at, '.', (size_t)(end - at));
	uint64_t seconds;
	long nanoseconds = 0;

	at += negative;
	if (pax_number(at, dot ? dot : end, &seconds, err) < 0)
		return -1;
	if (dot) {
		long unit = 100000000;

		for (const char *c = dot + 1; c < end; c++, unit /= 10) {
			if (*c < '0' || *c > '9')
				return err_set(err, EBADMSG, "an extended header has a bad time");
			nanoseconds += (*c - '0') * unit;
		}
	}
	time->tv_sec = negative ? -(time_t)seconds : (time_t)seconds;
	time->tv_nsec = nanoseconds;
	/* -1.25 s is 0.75 s after -2 s: nanoseconds count upwards. */
	if (negative && nanoseconds > 0) {
		time->tv_sec--;
		time->tv_nsec = 1000000000 - nanoseconds;
	}
	return 0;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes in place. Returns the length. */
static size_t base64_decode(char *text, size_t size)
{
	size_t used = 0;
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < size; i++) {
		int digit = base64_digit(text[i]);

		if (digit < 0)
			continue;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			text[used++] = (char)(bits >> have & 0xff);
		}
	}
	return used;
}

static int take_xattr(struct pax *pax, const char *name, const char *value, size_t size,
		      bool encoded, struct err *err)
{
	if (pax->xattr_count == TAR_XATTRS)
		return err_set(err, E2BIG, "an entry has more than %d extended attributes",
			       TAR_XATTRS);
	struct tar_xattr xattr = {strdup(name), malloc(size + 1), size};
	if (!xattr.name || !xattr.value) {
		free(xattr.name);
		free(xattr.value);
		return err_errno(err, "memory for an extended attribute");
	}
	memcpy(xattr.value, value, size);
	if (encoded)
		xattr.size = base64_decode(xattr.value, size);
	pax->xattrs[pax->xattr_count++] = xattr;
	return 0;
}

/* GNU.sparse.map: "offset,size,offset,size…" */
static int take_map(struct pax *pax, const char *at, const char *end, struct err *err)
{
	while (at < end) {
		uint64_t pair[2];

		for (int i = 0; i < 2; i++) {
			const char *comma = memchr(at, ',', (size_t)(end - at));
			const char *stop = comma ? comma : end;

			if (pax_number(at, stop, &pair[i], err) < 0)
				return -1;
			at = comma ? comma + 1 : end;
		}
		if (pax_piece(&pax->pieces, &pax->piece_count, pair[0], pair[1], err) < 0)
			return -1;
	}
	return 0;
}

static int take_number(struct pax *pax, unsigned bit, uint64_t *to, const char *value,
		       const char *end, struct err *err)
{
	pax->has |= bit;
	return pax_number(value, end, to, err);
}

static int take_record(struct pax *pax, const char *key, const char *value, size_t size,
		       struct err *err)
{
	const char *end = value + size;
	uint64_t number;

	/* An empty value takes an earlier one back (pax(1), "extended header"). */
	if (strcmp(key, "path") == 0 || strcmp(key, "GNU.sparse.name") == 0) {
		pax->has |= PAX_PATH;
		return take_text(pax->path, value, size, key, err);
	}
	if (strcmp(key, "linkpath") == 0) {
		pax->has |= PAX_LINK;
		return take_text(pax->link, value, size, key, err);
	}
	if (strcmp(key, "size") == 0)
		return take_number(pax, PAX_SIZE, &pax->size, value, end, err);
	if (strcmp(key, "uid") == 0)
		return take_number(pax, PAX_UID, &pax->uid, value, end, err);
	if (strcmp(key, "gid") == 0)
		return take_number(pax, PAX_GID, &pax->gid, value, end, err);
	if (strcmp(key, "mtime") == 0) {
		pax->has |= PAX_MTIME;
		return take_time(&pax->mtime, value, end, err);
	}
	if (strncmp(key, "SCHILY.xattr.", 13) == 0)
		return take_xattr(pax, key + 13, value, size, false, err);
	if (strncmp(key, "LIBARCHIVE.xattr.", 17) == 0)
		return take_xattr(pax, key + 17, value, size, true, err);
	if (strcmp(key, "GNU.sparse.size") == 0 || strcmp(key, "GNU.sparse.realsize") == 0)
		return take_number(pax, PAX_REAL, &pax->real, value, end, err);
	if (strcmp(key, "GNU.sparse.major") == 0) {
		if (pax_number(value, end, &number, err) < 0)
			return -1;
		if (number == 1)
			pax->has |= PAX_SPARSE_1;
		return 0;
	}
	if (strcmp(key, "GNU.sparse.map") == 0)
		return take_map(pax, value, end, err);
	if (strcmp(key, "GNU.sparse.offset") == 0) {
		if (pax_number(value, end, &number, err) < 0)
			return -1;
		return pax_piece(&pax->pieces, &pax->piece_count, number, 0, err);
	}
	if (strcmp(key, "GNU.sparse.numbytes") == 0) {
		if (pax_number(value, end, &number, err) < 0)
			return -1;
		if (pax->piece_count == 0)
			return err_set(err, EBADMSG, "the map of a sparse file begins with a size");
		pax->pieces[pax->piece_count - 1].size = number;
	}
	return 0;
}

int pax_parse(struct pax *pax, char *data, size_t size, struct err *err)
{
	/* record: "length key=value\n"; the length counts itself, and a value may hold '=', newline
	 * and NUL. */
	for (size_t at = 0; at < size;) {
		size_t length = 0, digits = 0;

		while (at + digits < size && data[at + digits] >= '0' && data[at + digits] <= '9' &&
		       digits < 8)
			length = length * 10 + (size_t)(data[at + digits++] - '0');
		if (digits == 0 || length > size - at || length < digits + 4 ||
		    data[at + digits] != ' ' || data[at + length - 1] != '\n')
			return err_set(err, EBADMSG, "a broken record in an extended header");
		char *key = data + at + digits + 1;
		char *end = data + at + length - 1;
		char *equals = memchr(key, '=', (size_t)(end - key));
		if (!equals || equals == key)
			return err_set(err, EBADMSG,
				       "a record without a key in an extended header");
		*equals = '\0';
		if (strlen(key) != (size_t)(equals - key))
			return err_set(err, EBADMSG,
				       "a key with a NUL inside in an extended header");
		if (take_record(pax, key, equals + 1, (size_t)(end - equals - 1), err) < 0)
			return -1;
		at += length;
	}
	return 0;
}
