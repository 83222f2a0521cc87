/* SPDX-License-Identifier: Apache-2.0
 *
 * The devices of this partition and the server on each.
 */
#ifndef PARCLOSE_IO_DEVICES_H
#define PARCLOSE_IO_DEVICES_H

#include "server/block_server.h"
#include "server/console_server.h"

/* Finds the devices that there is a driver for, by their class, resets and starts them. What does not start is said on the
   console; its clients get errors. */
void devices_open(const struct descriptor_page *page);

/* The server on the device at this position of the page's table; null where it is of another class. */
struct block_server *devices_block(uint32_t position);
struct console_server *devices_console(uint32_t position);

/* All servers, once. Returns whether more could be done at once. */
bool devices_run(void);

/* For the loop's wait: the next time somebody wants to be looked at without an event, ticks. */
uint64_t devices_deadline(void);
void devices_look(void);

#endif
