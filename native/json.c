#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "json.h"

/* Length of the UTF-8 sequence at `at`, 0 if there is no valid one (RFC 3629, section 4). */
static size_t sequence(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first, last, low, high; /* of the first byte; of the second */
		unsigned char size;
	} table[] = {
	    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (at[0] < table[i].first || at[0] > table[i].last)
			continue;
		size_t size = table[i].size;
		if (left < size || at[1] < table[i].low || at[1] > table[i].high)
			return 0;
		for (size_t k = 2; k < size; k++)
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		return size;
	}
	return 0;
}

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static size_t escape(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	to[0] = '\\';
	if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t') {
		to[1] = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : (char)c;
		return 2;
	}
	memcpy(to + 1, "u00", 3);
	to[4] = hex[c >> 4];
	to[5] = hex[c & 15];
	return 6;
}

size_t json_escape(char *to, const char *text, size_t size)
{
	const unsigned char *from = (const unsigned char *)text, *end = from + size;
	char *start = to;

	while (from < end) {
		const unsigned char *run = from;

		while (run < end && plain(*run))
			run++;
		memcpy(to, from, (size_t)(run - from));
		to += run - from;
		from = run;
		if (from == end)
			break;
		size_t length = *from < 0x80 ? 1 : sequence(from, (size_t)(end - from));
		if (length == 0) {
			memcpy(to, "\\ufffd", 6);
			to += 6;
			from++;
		} else if (length == 1) {
			to += escape(to, *from++);
		} else if (length == 3 && from[0] == 0xe2 && from[1] == 0x80 &&
			   (from[2] | 1) == 0xa9) {
			/* U+2028 and U+2029 end a line of JavaScript. */
			memcpy(to, from[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
			to += 6;
			from += 3;
		} else {
			memcpy(to, from, length);
			to += length;
			from += length;
		}
	}
	return (size_t)(to - start);
}
