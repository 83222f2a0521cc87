/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the partitions of disks lie where the plan has them. The extents
 * themselves are the monitor's; an endpoint whose disk is another one than
 * planned is not served.
 */
#ifndef PARCLOSE_IO_LABELS_H
#define PARCLOSE_IO_LABELS_H

#include "descriptor.h"
#include "drivers/block.h"

/* `row`: of the page's table of labels. Reads the disk at the first call for a row, and says on the log what is wrong.
   `device`: started; nothing is under way. */
bool labels_as_planned(const struct descriptor_page *page, uint32_t row, struct block_device *device,
                       const char *device_name);

#endif
