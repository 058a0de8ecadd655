#pragma once
/* Writes the headers of a tar archive: ustar, with a pax header where ustar has no room. */
#include "source.h"

#define TAR_BLOCK 512

struct tar_header {
	char type;
	const char *path; /* with a slash at the end for a directory */
	const char *link;
	unsigned mode;
	uint64_t uid;
	uint64_t gid;
	uint64_t size;
	int64_t mtime; /* seconds */
	unsigned major;
	unsigned minor;
	/* pax records of extended attributes, ready made by tar_xattr_record() */
	const char *records;
	size_t record_size;
};

int tar_write_header(struct sink *sink, const struct tar_header *header, struct err *err);
/* Fills the last block of an entry's data. */
int tar_write_padding(struct sink *sink, uint64_t size, struct err *err);
int tar_write_end(struct sink *sink, struct err *err);
/* Appends "length key=value\n" to *records, which it may move. Returns 0, or -1 with *err set. */
int tar_record(char **records, size_t *used, const char *key, const void *value, size_t size,
	       struct err *err);
