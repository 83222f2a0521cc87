/* SPDX-License-Identifier: Apache-2.0
 *
 * The devices of this partition, of all classes: each class has a file (disks.c,
 * lines.c), each driver a line in drivers/table.h.
 */
#ifndef PARCLOSE_IO_DEVICES_H
#define PARCLOSE_IO_DEVICES_H

#include "descriptor.h"

#include <stdbool.h>

/* Finds the devices that there is a driver for, resets and starts them. What does not start is said on the console; its
   clients get errors. */
void devices_open(const struct descriptor_page *page);

/* All servers, once. Returns whether more could be done at once. */
bool devices_run(void);

/* For the loop's wait: the next time somebody wants to be looked at without an event, ticks. */
uint64_t devices_deadline(void);
void devices_look(void);

#endif
