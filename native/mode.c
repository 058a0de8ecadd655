#include "mode.h"

#include <sys/stat.h>

enum { USER = 04700, GROUP = 02070, OTHER = 01007 };

static mode_t who_bits(char c)
{
	return c == 'u'   ? USER
	       : c == 'g' ? GROUP
	       : c == 'o' ? OTHER
	       : c == 'a' ? USER | GROUP | OTHER
			  : 0;
}

/* What a letter grants to everybody it can. */
static int permission(char c, bool directory, mode_t mode, mode_t *bits)
{
	switch (c) {
	case 'r':
		return *bits |= 0444, 0;
	case 'w':
		return *bits |= 0222, 0;
	case 'x':
		return *bits |= 0111, 0;
	case 'X':
		return *bits |= directory || mode & 0111 ? 0111 : 0, 0;
	case 's':
		return *bits |= S_ISUID | S_ISGID, 0;
	case 't':
		return *bits |= S_ISVTX, 0;
	/* A copy of another's bits: g=u. */
	case 'u':
		return *bits |= (mode >> 6 & 7) * 0111, 0;
	case 'g':
		return *bits |= (mode >> 3 & 7) * 0111, 0;
	case 'o':
		return *bits |= (mode & 7) * 0111, 0;
	default:
		return -1;
	}
}

static int apply_clause(const char **text, bool directory, mode_t *mode)
{
	const char *at = *text;
	mode_t who = 0;

	for (; who_bits(*at); at++)
		who |= who_bits(*at);
	if (who == 0)
		who = USER | GROUP | OTHER;
	if (!strchr("+-=", *at) || !*at)
		return -1;
	while (*at && strchr("+-=", *at)) {
		char action = *at++;
		mode_t bits = 0;

		for (; *at && !strchr("+-=,", *at); at++)
			if (permission(*at, directory, *mode, &bits) < 0)
				return -1;
		/* The sticky bit belongs to `a` and to no letter at all as well as to `o`. */
		bits &= who;
		if (action == '+')
			*mode |= bits;
		else if (action == '-')
			*mode &= ~bits;
		else
			*mode = (*mode & ~who) | bits;
	}
	*text = at;
	return *at == ',' ? (*text)++, 1 : *at ? -1 : 0;
}

int mode_apply(const char *text, bool directory, mode_t old, mode_t *new, struct err *err)
{
	const char *at = text;
	int more = 1;

	*new = old & 07777;
	if (*text >= '0' && *text <= '7') {
		char *end;
		unsigned long value = strtoul(text, &end, 8);

		if (*end || value > 07777)
			return err_set(err, EINVAL, "%.60s is not a mode", text);
		*new = (mode_t)value;
		return 0;
	}
	while (more > 0)
		more = apply_clause(&at, directory, new);
	return more < 0 ? err_set(err, EINVAL, "%.60s is not a mode", text) : 0;
}
