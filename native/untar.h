#pragma once
#include "source.h"

struct field;

struct untar_options {
	bool overlay;    /* `.wh.` entries become overlayfs's whiteouts; overlay's own marks are
			    refused */
	bool keep_kinds; /* refuse to put a file over a directory and the other way round */
	bool keep_links; /* a directory entry leaves a symbolic link to a directory as it is (dpkg)
			  */
	bool concatenated; /* several archives, one after the other */
	bool own;          /* give all to uid, gid */
	uint32_t uid;
	uint32_t gid;
	/* Shell patterns ('*' crosses '/') of what is left out; "!" takes in again, the last match
	 * counts. */
	const struct field *exclude;
	size_t exclude_count;
	uint64_t entry_limit; /* 0: none */
	uint64_t byte_limit;  /* of file data, 0: none */
};

struct untar_result {
	uint64_t entries;
	uint64_t bytes;
	uint64_t archive; /* bytes of the whole stream, what follows the archive's end as well */
};

/*
 * Unpacks an archive beneath the directory `root`, reading the source to its end.
 *
 * Returns 0, or -1 with *err set (EBADMSG, EINVAL, E2BIG…: the archive is broken or hostile); what
 * was unpacked by then stays, for the caller to throw away.
 */
int untar(struct source *source, int root, const struct untar_options *options,
	  struct untar_result *result, struct err *err);
