#pragma once
/* Messages of the DNS (RFC 1035, EDNS by RFC 6891), as the container's resolver needs them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41 };
enum { DNS_OK = 0, DNS_FORMERR = 1, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_NOTIMP = 4 };

#define DNS_HEADER 12
#define DNS_NAME 256      /* bytes of a name as text, with its NUL */
#define DNS_QUERY_MAX 512 /* bytes of a query that we look at; most have some 40 */
#define DNS_UDP_MAX 4096  /* bytes of an answer over UDP */
#define DNS_FOUND 32      /* addresses in one answer */

struct dns_question {
	char name[DNS_NAME]; /* lower case, dotted; "" if it holds what no host name does */
	uint16_t type;
	uint16_t class;
	size_t end;    /* offset of what follows the question */
	size_t room;   /* bytes that the asker can take over UDP */
	bool extended; /* it speaks EDNS */
};

struct dns_address {
	uint8_t length; /* 4 or 16 */
	uint8_t bytes[16];
};

/*
 * Takes a query apart.
 * Returns DNS_OK, a code to answer with, or -1: it is no query and gets no answer.
 */
int dns_parse(const uint8_t *query, size_t size, struct dns_question *question);

/*
 * An answer of addresses of the asked type, beginning with the one at `first`; none is an empty
 * answer.
 */
size_t dns_answer(const uint8_t *query, const struct dns_question *question,
		  const struct dns_address *addresses, unsigned count, unsigned first,
		  uint8_t *answer, size_t room);

/* An answer of one name. */
size_t dns_answer_name(const uint8_t *query, const struct dns_question *question, const char *name,
		       uint8_t *answer, size_t room);

/* An answer that says no more than `code`; `query` has DNS_HEADER bytes at least. */
size_t dns_refuse(const uint8_t *query, const struct dns_question *question, int code,
		  uint8_t *answer, size_t room);

/* Whether `answer` answers `query`: same id, same question. Others are forged, or come late. */
bool dns_matches(const uint8_t *query, size_t query_size, const uint8_t *answer, size_t size);

/*
 * The text of the address that the name `2.0.18.172.in-addr.arpa` or `….ip6.arpa` stands for.
 * Returns false for others.
 */
bool dns_reverse(const char *name, char *address, size_t room);
