#include "inodes.h"

struct inode_entry {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: the slot is free */
};

void inodes_close(struct inodes *inodes)
{
	for (size_t i = 0; i < inodes->room; i++)
		free(inodes->slots[i].path);
	free(inodes->slots);
	*inodes = (struct inodes){0};
}

static struct inode_entry *slot_of(const struct inodes *inodes, dev_t dev, ino_t ino)
{
	uint64_t hash = ((uint64_t)ino ^ (uint64_t)dev << 32) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(hash >> 32) & (inodes->room - 1);

	while (inodes->slots[at].path &&
	       (inodes->slots[at].ino != ino || inodes->slots[at].dev != dev))
		at = (at + 1) & (inodes->room - 1);
	return inodes->slots + at;
}

static int grow(struct inodes *inodes, struct err *err)
{
	struct inodes larger = {.room = inodes->room > 0 ? inodes->room * 2 : 256,
				.used = inodes->used};

	larger.slots = calloc(larger.room, sizeof *larger.slots);
	if (!larger.slots)
		return err_errno(err, "memory for hard links");
	for (size_t i = 0; i < inodes->room; i++) {
		const struct inode_entry *entry = inodes->slots + i;

		if (entry->path)
			*slot_of(&larger, entry->dev, entry->ino) = *entry;
	}
	free(inodes->slots);
	*inodes = larger;
	return 0;
}

const char *inodes_add(struct inodes *inodes, dev_t dev, ino_t ino, const char *path,
		       struct err *err)
{
	if (inodes->used * 2 >= inodes->room && grow(inodes, err) < 0)
		return NULL;
	struct inode_entry *entry = slot_of(inodes, dev, ino);
	if (entry->path)
		return entry->path;
	char *copy = strdup(path);
	if (!copy) {
		err_errno(err, "memory for hard links");
		return NULL;
	}
	*entry = (struct inode_entry){dev, ino, copy};
	inodes->used++;
	return "";
}
