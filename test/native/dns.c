/* The resolver's messages and names: ordinary ones, hostile ones, and a few hundred thousand
 * damaged ones. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dnsnames.h"

/* A query for `name` (labels joined by dots) with `edns` bytes of room, or none. Returns its
 * length. */
static size_t make_query(uint8_t *to, const char *name, uint16_t type, uint16_t edns)
{
	const uint8_t head[12] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, edns > 0};
	uint8_t *at = to + sizeof head;

	memcpy(to, head, sizeof head);
	while (*name) {
		size_t size = strcspn(name, ".");

		*at++ = (uint8_t)size;
		memcpy(at, name, size);
		at += size;
		name += size + (name[size] == '.');
	}
	const uint8_t tail[] = {
	    0, 0, (uint8_t)type, 0, 1, 0, 0, 41, (uint8_t)(edns >> 8), (uint8_t)edns, 0, 0, 0, 0,
	    0, 0};
	size_t size = edns ? sizeof tail : 5;
	memcpy(at, tail, size);
	return (size_t)(at - to) + size;
}

static void reads_questions(void)
{
	struct dns_question q;
	uint8_t query[512];

	assert(dns_parse(query, make_query(query, "Web.Shop", DNS_A, 0), &q) == DNS_OK);
	assert(strcmp(q.name, "web.shop") == 0 && q.type == DNS_A && q.room == 512 && !q.extended);
	assert(dns_parse(query, make_query(query, "web", DNS_AAAA, 1232), &q) == DNS_OK);
	assert(q.extended && q.room == 1232 && q.type == DNS_AAAA);
	assert(dns_parse(query, make_query(query, "web", DNS_A, 100), &q) == DNS_OK &&
	       q.room == 512);
	/* A name that no host has is forwarded as it is, and never looked up. */
	assert(dns_parse(query, make_query(query, "we b", DNS_A, 0), &q) == DNS_OK &&
	       q.name[0] == '\0');
	assert(dns_parse(query, make_query(query, "", DNS_A, 0), &q) == DNS_OK &&
	       q.name[0] == '\0');
}

static void refuses_hostile_questions(void)
{
	struct dns_question q;
	uint8_t query[600];
	size_t size = make_query(query, "web", DNS_A, 0);

	for (size_t cut = 12; cut < size; cut++)
		assert(dns_parse(query, cut, &q) == DNS_FORMERR);
	for (size_t cut = 0; cut < 12; cut++)
		assert(dns_parse(query, cut, &q) == -1);
	query[12] = 0xc0; /* a pointer, to itself */
	query[13] = 12;
	assert(dns_parse(query, size, &q) == DNS_FORMERR);
	make_query(query, "web", DNS_A, 0);
	query[5] = 2; /* two questions */
	assert(dns_parse(query, size, &q) == DNS_FORMERR);
	make_query(query, "web", DNS_A, 0);
	query[2] |= 0x80; /* an answer: to answer it would be a loop */
	assert(dns_parse(query, size, &q) == -1);
	query[2] = 0x28; /* an update */
	assert(dns_parse(query, size, &q) == DNS_NOTIMP);
	/* 255 bytes are the longest name. */
	char name[400] = "";
	for (int i = 0; i < 5; i++)
		strcat(name, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.");
	assert(dns_parse(query, make_query(query, name, DNS_A, 0), &q) == DNS_FORMERR);
}

static void answers_addresses(void)
{
	struct dns_address addresses[DNS_FOUND];
	struct dns_question q;
	uint8_t query[512], answer[DNS_UDP_MAX];

	for (int i = 0; i < DNS_FOUND; i++)
		addresses[i] = (struct dns_address){4, {172, 18, 0, (uint8_t)(i + 2)}};
	size_t asked = make_query(query, "web", DNS_A, 0);
	dns_parse(query, asked, &q);
	size_t size = dns_answer(query, &q, addresses, 3, 1, answer, 512);
	assert(size == asked + 3 * 16 && answer[7] == 3 && answer[0] == 0x12 && answer[2] & 0x80);
	assert(answer[size - 1] == 2 && answer[asked + 15] == 3); /* rotated: .3 .4 .2 */
	assert(dns_matches(query, asked, answer, size));
	/* What does not fit is cut off, and said to be. */
	size = dns_answer(query, &q, addresses, DNS_FOUND, 0, answer, 100);
	assert(size <= 100 && answer[2] & 2 && answer[7] == (100 - asked) / 16);
	/* A name that we know, without an address of that family. */
	size = dns_answer(query, &q, addresses, 0, 7, answer, 512);
	assert(size == asked && answer[7] == 0 && (answer[3] & 15) == 0);
	assert(dns_answer(query, &q, addresses, 1, 0, answer, 10) == 0);
	size = dns_answer_name(query, &q, "web.shop_default", answer, sizeof answer);
	assert(size == asked + 12 + 18);
	size = dns_answer_name(query, &q, "web..x", answer, sizeof answer);
	assert((answer[3] & 15) == DNS_SERVFAIL && size == asked);
	query[1]++;
	assert(!dns_matches(query, asked, answer, size));
}

static void reverses(void)
{
	char address[64];

	assert(dns_reverse("2.0.18.172.in-addr.arpa", address, sizeof address) &&
	       strcmp(address, "172.18.0.2") == 0);
	assert(
	    dns_reverse("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
			address, sizeof address) &&
	    strcmp(address, "fd00::2") == 0);
	const char *others[] = {"",
				"web",
				"1.2.3.in-addr.arpa",
				"999.0.0.1.in-addr.arpa",
				"1.2.3.4.in-addr.arpa.x",
				"x.0.18.172.in-addr.arpa"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert(!dns_reverse(others[i], address, sizeof address));
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static struct dns_found look_up(const char *path, const char *name, uint16_t type)
{
	struct dns_question q;
	struct dns_found found;
	uint8_t query[512];

	assert(dns_parse(query, make_query(query, name, type, 0), &q) == DNS_OK);
	dns_look_up(path, &q, &found);
	return found;
}

static void looks_up(void)
{
	char dir[] = "/tmp/slipway-dns-XXXXXX", view[64], shop[64], text[512];

	assert(mkdtemp(dir));
	snprintf(view, sizeof view, "%s/view", dir);
	snprintf(shop, sizeof shop, "%s/shop", dir);
	put(shop, "name db 172.18.0.3\nname db fd00::3\nname web 172.18.0.2\nname web "
		  "172.18.0.4\nptr 172.18.0.2 web.shop\nname cut 1.2.3");
	snprintf(text, sizeof text,
		 "alias database db\ntable %s/absent\ntable %s\nserver 10.0.0.1\nserver fd00::53\n",
		 dir, shop);
	put(view, text);

	struct dns_found found = look_up(view, "web", DNS_A);
	assert(found.known && found.count == 2 && found.addresses[1].bytes[3] == 4 &&
	       found.servers == 2);
	found = look_up(view, "DB", DNS_AAAA);
	assert(found.count == 1 && found.addresses[0].length == 16 &&
	       found.addresses[0].bytes[15] == 3);
	found = look_up(view, "web", DNS_AAAA);
	assert(found.known && found.count == 0);
	found = look_up(view, "database", DNS_A);
	assert(found.count == 1 && found.addresses[0].bytes[3] == 3);
	found = look_up(view, "2.0.18.172.in-addr.arpa", DNS_PTR);
	assert(found.known && strcmp(found.name, "web.shop") == 0);
	found = look_up(view, "elsewhere", DNS_A);
	assert(!found.known && found.servers == 2 && strcmp(found.server[1], "fd00::53") == 0);
	/* A line without its end was cut off. */
	assert(!look_up(view, "cut", DNS_A).known);
	assert(!look_up(shop, "", DNS_A).known);
	assert(look_up("/nowhere", "web", DNS_A).servers == 0);
	put(shop, "");
	assert(!look_up(view, "web", DNS_A).known);
	put(shop, "name\nname web\nname web nonsense\nname  web 1.2.3.4\n\n "
		  "\nptr\ntable\nserver\nalias\nalias web\n");
	assert(look_up(view, "web", DNS_A).count == 0);
	unlink(view);
	unlink(shop);
	rmdir(dir);
}

/* Whatever comes, nothing is read or written outside of the buffers: ASan watches. */
static void survives_damage(void)
{
	uint8_t good[512], answer[DNS_UDP_MAX];
	size_t size = make_query(good, "a.long.name.with.labels.shop_default", DNS_A, 4096);
	struct dns_address addresses[2] = {{4, {1, 2, 3, 4}}, {16, {0}}};

	srandom(1);
	for (int round = 0; round < 300000; round++) {
		size_t cut = (size_t)random() % (size + 1);
		uint8_t *query = malloc(cut ? cut : 1); /* its end is ASan's */
		struct dns_question q;
		char text[64];

		memcpy(query, good, cut);
		for (long i = random() % 4; i > 0 && cut > 0; i--)
			query[(size_t)random() % cut] = (uint8_t)random();
		int code = dns_parse(query, cut, &q);
		size_t room = (size_t)random() % 600;
		if (code >= 0) {
			dns_refuse(query, &q, code, answer, room);
			dns_reverse(q.name, text, sizeof text);
		}
		if (code == DNS_OK) {
			size_t used =
			    dns_answer(query, &q, addresses, 2, (unsigned)round, answer, room);
			assert(used <= room);
			dns_answer_name(query, &q, q.name, answer, room);
		}
		dns_matches(good, size, query, cut);
		free(query);
	}
}

int main(void)
{
	reads_questions();
	refuses_hostile_questions();
	answers_addresses();
	reverses();
	looks_up();
	survives_damage();
	puts("dns: questions, answers, names and damage");
	return 0;
}
