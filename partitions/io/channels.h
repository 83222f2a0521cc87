/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PARCLOSE_IO_CHANNELS_H
#define PARCLOSE_IO_CHANNELS_H

#include "descriptor.h"

/* Joins each channel that this partition serves to the server of its device. After devices_open: the monitor counts no
   conversion of an earlier life by then. */
void channels_open(const struct descriptor_page *page);

#endif
