/* SPDX-License-Identifier: Apache-2.0
 *
 * The disks of this partition and the block server on each.
 */
#ifndef PARCLOSE_IO_DISKS_H
#define PARCLOSE_IO_DISKS_H

#include "server/block_server.h"

/* Resets and starts the device at this position of the page's table, if it is one of ours. What does not start is said on the
   console; its clients get errors. */
void disks_open(const struct descriptor_page *page, uint32_t position);
struct block_server *disks_find(uint32_t position);
bool disks_run(void);
uint64_t disks_deadline(void);
void disks_look(void);

#endif
