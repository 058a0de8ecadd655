#pragma once
#include "dnsmsg.h"

#define DNS_SERVERS 4

/* What a container's names say about a question. */
struct dns_found {
	bool known; /* the name is ours, perhaps without an address of the asked family */
	unsigned count;
	struct dns_address addresses[DNS_FOUND];
	char name[DNS_NAME]; /* of a PTR question */
	/* Who is asked about other names, as text; none: nobody is. */
	unsigned servers;
	char server[DNS_SERVERS][48];
};

/*
 * Looks a question up in the names at `path`. Lines of that file, one blank between words:
 *
 *   name NAME ADDRESS     ADDRESS is one of NAME's
 *   alias NAME TARGET     NAME is another word for TARGET; before the lines and tables that know
 * TARGET ptr ADDRESS NAME      NAME is what ADDRESS is called table PATH            a file of
 * `name` and `ptr` lines, of one network; the first that knows the name answers server ADDRESS is
 * asked about all other names
 *
 * A file that cannot be read counts as empty: its network has just gone.
 */
void dns_look_up(const char *path, const struct dns_question *question, struct dns_found *found);
