/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds a partition of a disk by its name in the GUID partition table (UEFI
 * Specification 2.10, 5.3). What stands on the disk is anybody's: nothing of it
 * is believed before its checksum is right and it lies where it may.
 */
#ifndef PARCLOSE_IO_GPT_H
#define PARCLOSE_IO_GPT_H

#include <stdbool.h>
#include <stdint.h>

#define GPT_BUFFER 4096u /* the largest block, and what is read at once */

struct gpt_disk {
  /* `length` bytes at `offset` into `buffer`: whole blocks, at most GPT_BUFFER. False: the disk fails. */
  bool (*read)(void *context, uint64_t offset, uint8_t *buffer, uint32_t length);
  void *context;
  uint8_t *buffer; /* GPT_BUFFER bytes, for read */
  uint64_t size;   /* bytes */
  uint32_t block_size;
};

enum gpt_result {
  GPT_FOUND,
  GPT_UNREADABLE, /* the disk fails */
  GPT_NO_TABLE,   /* neither the first header nor the one at the end is whole */
  GPT_NOT_THERE,  /* no partition of that name */
  GPT_TWICE,      /* several */
  GPT_OVERLAPS,   /* it shares blocks with another, or leaves the room for partitions */
};

struct gpt_found {
  uint64_t start, size; /* bytes */
  bool backup;          /* by the table at the end: the first is broken */
};

/* `name`: ASCII, at most LIMIT_LABEL characters. `found` is set where GPT_FOUND or GPT_OVERLAPS is returned. */
enum gpt_result gpt_find(const struct gpt_disk *disk, const char *name, struct gpt_found *found);

#endif
