/* SPDX-License-Identifier: Apache-2.0
 *
 * The serial lines of this partition and the console server on each.
 */
#ifndef PARCLOSE_IO_LINES_H
#define PARCLOSE_IO_LINES_H

#include "server/console_server.h"

/* Starts the device at this position of the page's table, if it is one of ours; a line at which nothing answers is left out. */
void lines_open(const struct descriptor_page *page, uint32_t position);
struct console_server *lines_find(uint32_t position);
bool lines_run(void);
uint64_t lines_deadline(void);

#endif
