#pragma once
#include "loop.h"

struct monitor;

/*
 * A monitor sits beside its container for as long as that lives, mostly idle: it keeps in memory
 * only what it will need then. What is given back here comes again when it is touched.
 */

/* Lets go of the pages of this program itself, of which waiting needs few, once nothing is to be
 * done. */
void memory_settle(struct loop *loop);

/* Where output is read into: one buffer for all, for it is empty between reads. */
#define MEMORY_OUTPUT 65536
char *memory_output(void);

/* Something happened: what it took goes once it has been quiet for a while. */
void memory_used(struct monitor *monitor);
