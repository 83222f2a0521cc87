/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the descriptor page and a driver: what the files of the device classes
 * (disks.c, lines.c) share.
 */
#ifndef PARCLOSE_IO_ATTACH_H
#define PARCLOSE_IO_ATTACH_H

#include "drivers/resources.h"
#include "sources.h"

const struct device_descriptor *attach_device(const struct descriptor_page *page, uint32_t position);

/* What to add to an address of ours so that a device understands it. False: this memory is not for devices. */
bool attach_bias(const struct descriptor_page *page, const void *memory, uint64_t *bias);

/* Every interrupt of the device is meant for `source`, and may come from now on. */
void attach_listen(const struct device_descriptor *device, struct source source);

#endif
