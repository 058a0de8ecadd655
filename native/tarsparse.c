#include "tarsparse.h"

#include "pax.h"

/* Offsets in a header block. Source: tar(5), "GNU tar Archives". */
enum {
	AT_GNU_SPARSE = 386,
	AT_GNU_MORE = 482,
	AT_GNU_REAL = 483,
	AT_GNU_NEXT_MORE = 504,
};

/* Pieces that stand in a block: `count` pairs of 12-byte numbers. */
static int gnu_pieces(struct tar_reader *reader, const unsigned char *at, int count,
		      struct err *err)
{
	struct tar_entry *entry = &reader->entry;

	for (int i = 0; i < count; i++, at += 24) {
		int64_t offset, size;

		if (at[0] == '\0')
			return 0;
		if (!tar_number(at, 12, &offset) || !tar_number(at + 12, 12, &size) || offset < 0 ||
		    size < 0)
			return tar_broken(reader, err, "a bad map of a sparse file");
		if (pax_piece(&entry->pieces, &entry->piece_count, (uint64_t)offset, (uint64_t)size,
			      err) < 0)
			return -1;
	}
	return 0;
}

int tar_sparse_gnu(struct tar_reader *reader, const unsigned char *block, struct err *err)
{
	int64_t real;
	unsigned char next[TAR_BLOCK];
	bool more = block[AT_GNU_MORE];

	if (!tar_number(block + AT_GNU_REAL, 12, &real) || real < 0)
		return tar_broken(reader, err, "a bad size of a sparse file");
	reader->entry.real = (uint64_t)real;
	reader->entry.sparse = true;
	if (gnu_pieces(reader, block + AT_GNU_SPARSE, 4, err) < 0)
		return -1;
	while (more) {
		if (source_read(reader->source, next, sizeof next, err) != 1)
			return err->text[0] ? -1
					    : tar_broken(reader, err, "the archive is cut off");
		if (gnu_pieces(reader, next, 21, err) < 0)
			return -1;
		more = next[AT_GNU_NEXT_MORE];
	}
	return 0;
}

/* A decimal line of a sparse map that stands before the data. */
static int map_line(struct tar_reader *reader, uint64_t *value, struct err *err)
{
	char line[24];
	size_t used = 0;

	for (;;) {
		const char *data;
		ssize_t n = tar_peek(reader, &data, err);

		if (n < 0)
			return -1;
		if (n == 0 || used == sizeof line)
			return tar_broken(reader, err, "a bad map of a sparse file");
		line[used] = *data;
		tar_take(reader, 1);
		if (line[used] == '\n')
			return pax_number(line, line + used, value, err);
		used++;
	}
}

int tar_sparse_map(struct tar_reader *reader, struct err *err)
{
	struct tar_entry *entry = &reader->entry;
	uint64_t before = reader->data_left, count, offset, size;

	if (map_line(reader, &count, err) < 0)
		return -1;
	if (count > TAR_SPARSE)
		return err_set(err, E2BIG, "a sparse file of more than %u pieces", TAR_SPARSE);
	for (uint64_t i = 0; i < count; i++)
		if (map_line(reader, &offset, err) < 0 || map_line(reader, &size, err) < 0 ||
		    pax_piece(&entry->pieces, &entry->piece_count, offset, size, err) < 0)
			return -1;
	unsigned fill =
	    (unsigned)(TAR_BLOCK - (before - reader->data_left) % TAR_BLOCK) % TAR_BLOCK;
	if (fill > reader->data_left)
		return tar_broken(reader, err, "a bad map of a sparse file");
	reader->data_left -= fill;
	return source_skip(reader->source, fill, err);
}

int tar_sparse_check(struct tar_reader *reader, struct err *err)
{
	const struct tar_entry *entry = &reader->entry;
	uint64_t data = 0;

	for (size_t i = 0; i < entry->piece_count; i++) {
		const struct tar_piece *piece = entry->pieces + i;

		if (piece->size > entry->real || piece->offset > entry->real - piece->size)
			return tar_broken(reader, err, "a sparse file with data after its end");
		data += piece->size;
	}
	return data == reader->data_left
		   ? 0
		   : tar_broken(reader, err, "a sparse file whose map and data differ");
}
