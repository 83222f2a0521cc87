/* SPDX-License-Identifier: Apache-2.0
 *
 * What the I/O partition itself has to say: on its first console, under its
 * own name; lost where it has none.
 */
#ifndef PARCLOSE_IO_LOG_H
#define PARCLOSE_IO_LOG_H

#include "console_server.h"

void log_open(struct console_server *console); /* the first one stays */
void log_line(const char *subject, const char *words);
/* `words`: what the driver calls the two halves of its errors. */
void log_device_error(const char *device, const char *what, const char *const words[2], uint32_t error);

#endif
