#pragma once
#include <stdint.h>

#include "err.h"

/*
 * Opens a new terminal of the devpts at /dev/pts. The slave is opened through the master, never by
 * its name, which somebody inside could replace.
 * Returns the master's descriptor and *slave, or -1 with *err set.
 */
int tty_open(int dev, int *slave, struct err *err);
int tty_resize(int tty, uint16_t rows, uint16_t columns);
/* Makes `slave` the controlling terminal of this process, which becomes a session leader. */
int tty_control(int slave, struct err *err);
/* Passes a descriptor over a UNIX socket. Return 0, or -1 with errno. */
int fd_send(int socket, int fd);
int fd_receive(int socket);
