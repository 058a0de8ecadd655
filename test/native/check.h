#pragma once
/* Tests of the C code: each is a function, a failed check ends the program. Built with ASan and
 * UBSan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define CHECK_TEXT(actual, expected)                                                               \
	do {                                                                                       \
		const char *got_ = (actual), *want_ = (expected);                                  \
		if (strcmp(got_, want_) != 0) {                                                    \
			fprintf(stderr, "%s:%d: got      %s\n  expected %s\n", __FILE__, __LINE__, \
				got_, want_);                                                      \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)
