#pragma once
/*
 * How an archive is made again, byte for byte, from the files that came out of it: everything in it
 * that is no file's content, and where each file's content stood. Without that the archive itself
 * would have to be kept beside its files.
 */
#include "job.h"
#include "source.h"

/* Records, one after the other: u8 0 | u32 size | bytes as they stood; or u8 1 | u64 offset | u64
 * size | u16 length of the path | path: that part of that file. Numbers in little-endian order. */
struct recipe {
	struct sink sink;
	char *pending; /* bytes that are no file's, not sent yet */
	size_t used;
	uint64_t in_file; /* bytes of a file's content that are still to pass */
	bool failed;
	struct err err;
};

/* Sends the records as FRAME_DATA over `fd`. */
int recipe_open(struct recipe *recipe, int fd, struct err *err);
void recipe_close(struct recipe *recipe);
/* Bytes of the archive pass. Errors are kept for recipe_end(). */
void recipe_take(struct recipe *recipe, const char *data, size_t size);
/* The next `size` bytes are the content of the file `path`, from `offset` on. */
void recipe_file(struct recipe *recipe, const char *path, uint64_t offset, uint64_t size);
/* Sends what is left. Returns 0, or -1 with *err set. */
int recipe_end(struct recipe *recipe, struct err *err);

/* Reads a recipe from the connection and sends the archive: FRAME_DATA, then FRAME_END. */
int job_rebuild(struct job *job);
