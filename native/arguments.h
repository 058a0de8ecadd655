#pragma once
/*
 * The program's own arguments, as the kernel shows them to whoever sees the process. They say where
 * the engine keeps its files, and a process that is about to become a container's is seen from
 * inside.
 */

/* Remembers where they are. Once, first of all. */
void arguments_keep(int count, char **arguments);

/* Wipes them, before a process is cloned: what is born has none from its first moment on. */
void arguments_hide(void);

/* Puts them back, in the process that goes on. */
void arguments_show(void);
