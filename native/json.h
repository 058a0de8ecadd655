#pragma once
#include <stddef.h>

/*
 * Writes `text` as the inside of a JSON string; at most 6 bytes a byte. Bytes that are no UTF-8
 * become U+FFFD. Returns the length.
 */
size_t json_escape(char *to, const char *text, size_t size);
