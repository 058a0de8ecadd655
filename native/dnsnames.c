#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "dnsnames.h"
#include "util.h"

#define TABLES 64
#define NAMES_LIMIT (16 << 20)

struct line {
	const char *words[3];
	size_t lengths[3];
	int count;
};

struct search {
	const struct dns_question *question;
	struct dns_found *found;
	char name[DNS_NAME];            /* looked for: the question's, or what it is an alias of */
	char address[INET6_ADDRSTRLEN]; /* of a PTR question, else "" */
	unsigned tables;
	char table[TABLES][256];
};

static bool is(const struct line *line, int word, const char *text)
{
	size_t length = strlen(text);

	return word < line->count && line->lengths[word] == length &&
	       memcmp(line->words[word], text, length) == 0;
}

static bool copy(const struct line *line, int word, char *to, size_t room)
{
	if (word >= line->count || line->lengths[word] >= room)
		return false;
	memcpy(to, line->words[word], line->lengths[word]);
	to[line->lengths[word]] = '\0';
	return true;
}

static void add_address(const struct line *line, struct search *search)
{
	struct dns_found *found = search->found;
	struct dns_address *address = &found->addresses[found->count];
	char text[INET6_ADDRSTRLEN];

	found->known = true;
	if (found->count == DNS_FOUND || !copy(line, 2, text, sizeof text))
		return;
	uint16_t wanted = strchr(text, ':') ? DNS_AAAA : DNS_A;
	if (wanted != search->question->type)
		return;
	address->length = wanted == DNS_A ? 4 : 16;
	if (inet_pton(wanted == DNS_A ? AF_INET : AF_INET6, text, address->bytes) == 1)
		found->count++;
}

static void take(const struct line *line, struct search *search)
{
	struct dns_found *found = search->found;

	if (is(line, 0, "name") && search->name[0] && is(line, 1, search->name))
		add_address(line, search);
	else if (is(line, 0, "alias") && search->name[0] && is(line, 1, search->name))
		copy(line, 2, search->name, sizeof search->name);
	else if (is(line, 0, "ptr") && search->address[0] && is(line, 1, search->address))
		found->known = copy(line, 2, found->name, sizeof found->name);
	else if (is(line, 0, "table") && search->tables < TABLES)
		search->tables +=
		    copy(line, 1, search->table[search->tables], sizeof search->table[0]);
	else if (is(line, 0, "server") && found->servers < DNS_SERVERS)
		found->servers +=
		    copy(line, 1, found->server[found->servers], sizeof found->server[0]);
}

static void read_lines(const char *text, size_t size, struct search *search)
{
	const char *end = text + size;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct line line = {.count = 0};

		/* A line without its end is one that was cut off. */
		if (!stop)
			return;
		while (text < stop && line.count < 3) {
			const char *blank = memchr(text, ' ', (size_t)(stop - text));
			const char *word_end = blank ? blank : stop;

			line.words[line.count] = text;
			line.lengths[line.count++] = (size_t)(word_end - text);
			text = blank ? blank + 1 : stop;
		}
		take(&line, search);
		text = stop + 1;
	}
}

/* Mapped, not read: no memory of this process stays in use for it. */
static void read_file(const char *path, struct search *search)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > NAMES_LIMIT)
		return;
	/* It is replaced by rename and never cut, so that no page of it can go away. */
	char *text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return;
	read_lines(text, (size_t)st.st_size, search);
	munmap(text, (size_t)st.st_size);
}

void dns_look_up(const char *path, const struct dns_question *question, struct dns_found *found)
{
	struct search search = {.question = question, .found = found};

	*found = (struct dns_found){0};
	memcpy(search.name, question->name, sizeof search.name);
	if (question->type == DNS_PTR &&
	    !dns_reverse(question->name, search.address, sizeof search.address))
		search.address[0] = '\0';
	read_file(path, &search);
	unsigned tables = search.tables;
	for (unsigned i = 0; i < tables && !found->known; i++)
		read_file(search.table[i], &search);
}
