#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "dnsmsg.h"

#define TTL 5 /* seconds: a container's address may belong to another one soon */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A question is the first name of a message, so nothing stands before it that it could point to. */
static bool read_name(const uint8_t *query, size_t size, size_t *at, char *name)
{
	size_t used = 0;
	bool plain = true;

	for (;;) {
		if (*at >= size)
			return false;
		size_t length = query[(*at)++];
		if (length == 0)
			break;
		if (length > 63 || length > size - *at || used + length + 1 >= DNS_NAME)
			return false;
		for (size_t i = 0; i < length; i++) {
			uint8_t c = query[(*at)++];

			plain = plain && c > ' ' && c < 127 && c != '.';
			name[used++] = (char)tolower(c);
		}
		name[used++] = '.';
	}
	name[used ? used - 1 : 0] = '\0';
	if (!plain)
		name[0] = '\0';
	return true;
}

int dns_parse(const uint8_t *query, size_t size, struct dns_question *question)
{
	*question = (struct dns_question){.end = DNS_HEADER, .room = 512};
	if (size < DNS_HEADER || query[2] & 0x80)
		return -1;
	if (query[2] & 0x78)
		return DNS_NOTIMP;
	size_t at = DNS_HEADER;
	if (get16(query + 4) != 1 || !read_name(query, size, &at, question->name) || size - at < 4)
		return DNS_FORMERR;
	question->type = get16(query + at);
	question->class = get16(query + at + 2);
	question->end = at + 4;
	/* EDNS: a root name, type, and the asker's room in place of the class. */
	const uint8_t *more = query + question->end;
	if (get16(query + 6) == 0 && get16(query + 8) == 0 && get16(query + 10) > 0 &&
	    size - question->end >= 11 && more[0] == 0 && get16(more + 1) == DNS_OPT) {
		question->extended = true;
		question->room = get16(more + 3) < 512 ? 512 : get16(more + 3);
	}
	return DNS_OK;
}

static size_t begin(const uint8_t *query, const struct dns_question *question, int code,
		    uint8_t *answer, size_t room)
{
	if (room < question->end)
		return 0;
	memcpy(answer, query, question->end);
	answer[2] = (uint8_t)(0x80 | (query[2] & 0x79)); /* an answer; opcode and RD as asked */
	answer[3] = (uint8_t)(0x80 | code);              /* recursion is available */
	memset(answer + 4, 0, 8);
	put16(answer + 4, question->end > DNS_HEADER);
	return question->end;
}

static size_t finish(const struct dns_question *question, uint8_t *answer, size_t used, size_t room)
{
	if (used == 0 || !question->extended || room - used < 11)
		return used;
	memset(answer + used, 0, 11);
	put16(answer + used + 1, DNS_OPT);
	put16(answer + used + 3, DNS_UDP_MAX);
	put16(answer + 10, 1);
	return used + 11;
}

size_t dns_refuse(const uint8_t *query, const struct dns_question *question, int code,
		  uint8_t *answer, size_t room)
{
	return finish(question, answer, begin(query, question, code, answer, room), room);
}

/* The head of a record about the question's name. Returns its length. */
static size_t record(uint8_t *at, uint16_t type, size_t length)
{
	put16(at, 0xc000 | DNS_HEADER);
	put16(at + 2, type);
	put16(at + 4, 1);
	put16(at + 6, 0);
	put16(at + 8, TTL);
	put16(at + 10, length);
	return 12;
}

size_t dns_answer(const uint8_t *query, const struct dns_question *question,
		  const struct dns_address *addresses, unsigned count, unsigned first,
		  uint8_t *answer, size_t room)
{
	size_t used = begin(query, question, DNS_OK, answer, room);
	size_t kept = question->extended ? 11 : 0;

	if (used == 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		const struct dns_address *address = &addresses[(first + i) % count];

		if (room - used < 12u + address->length + kept) {
			answer[2] |= 2; /* cut off: ask again by TCP */
			break;
		}
		used += record(answer + used, question->type, address->length);
		memcpy(answer + used, address->bytes, address->length);
		used += address->length;
		put16(answer + 6, i + 1);
	}
	return finish(question, answer, used, room);
}

size_t dns_answer_name(const uint8_t *query, const struct dns_question *question, const char *name,
		       uint8_t *answer, size_t room)
{
	size_t used = begin(query, question, DNS_OK, answer, room);
	size_t length = strlen(name) + 2;
	uint8_t *at = answer + used + 12;

	if (used == 0 || length >= DNS_NAME || room - used < 12 + length)
		return dns_refuse(query, question, DNS_SERVFAIL, answer, room);
	for (const char *label = name; *label;) {
		size_t size = strcspn(label, ".");

		if (size == 0 || size > 63)
			return dns_refuse(query, question, DNS_SERVFAIL, answer, room);
		*at++ = (uint8_t)size;
		memcpy(at, label, size);
		at += size;
		label += size + (label[size] == '.');
	}
	*at++ = 0;
	record(answer + used, DNS_PTR, (size_t)(at - (answer + used + 12)));
	put16(answer + 6, 1);
	return finish(question, answer, (size_t)(at - answer), room);
}

bool dns_matches(const uint8_t *query, size_t query_size, const uint8_t *answer, size_t size)
{
	struct dns_question asked, answered;
	uint8_t head[DNS_QUERY_MAX];

	if (size < DNS_HEADER || !(answer[2] & 0x80) || memcmp(query, answer, 2) != 0)
		return false;
	/* Some servers leave the question out when they refuse. */
	if (get16(answer + 4) == 0)
		return (answer[3] & 15) != 0;
	size_t part = size < sizeof head ? size : sizeof head;
	memcpy(head, answer, part);
	head[2] = 0;
	return dns_parse(query, query_size, &asked) == DNS_OK &&
	       dns_parse(head, part, &answered) == DNS_OK && asked.type == answered.type &&
	       strcmp(asked.name, answered.name) == 0;
}

static bool reverse4(const char *name, char *address, size_t room)
{
	unsigned b[4];
	int used = 0;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &b[0], &b[1], &b[2], &b[3], &used) !=
		4 ||
	    used == 0 || name[used])
		return false;
	for (int i = 0; i < 4; i++)
		if (b[i] > 255)
			return false;
	return snprintf(address, room, "%u.%u.%u.%u", b[3], b[2], b[1], b[0]) < (int)room;
}

static bool reverse6(const char *name, char *address, size_t room)
{
	uint8_t bytes[16] = {0};

	if (strlen(name) != 72 || strcmp(name + 64, "ip6.arpa") != 0)
		return false;
	for (int i = 0; i < 32; i++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, name[2 * i]);

		if (!digit || name[2 * i + 1] != '.')
			return false;
		int nibble = 31 - i;
		bytes[nibble / 2] |= (uint8_t)((digit - digits) << (nibble % 2 ? 0 : 4));
	}
	return inet_ntop(AF_INET6, bytes, address, (socklen_t)room) != NULL;
}

bool dns_reverse(const char *name, char *address, size_t room)
{
	return reverse4(name, address, room) || reverse6(name, address, room);
}
