/* SPDX-License-Identifier: Apache-2.0
 *
 * Records on a disk: 4 KiB each, from the start of the extent, number n at
 * n * 4096. A record is one line of 32 bytes, 128 times:
 *   "sensor   record 000007 ........\n"
 * so that anybody can compare the disk's file with what was meant.
 */
#ifndef RECORD_H
#define RECORD_H

#include "parclose.h"

#define RECORDS 64u
#define RECORD_SIZE 4096u
#define RECORD_LINE 32u

static char written[RECORD_SIZE], read_back[RECORD_SIZE];

static void make_record(uint32_t number) {
  char line[RECORD_LINE + 1];
  format(line, sizeof line, "%-8s record %06u ........\n", partition_name(), number);
  for (uint32_t i = 0; i < RECORD_SIZE; i += RECORD_LINE)
    memcpy(written + i, line, RECORD_LINE);
}

/* Writes a record and reads it back. */
static bool store_record(struct block *disk, uint32_t number) {
  uint64_t offset = (uint64_t)number * RECORD_SIZE;
  make_record(number);
  return block_write(disk, offset, written, RECORD_SIZE) == BLOCK_OK &&
         block_read(disk, offset, read_back, RECORD_SIZE) == BLOCK_OK && memcmp(written, read_back, RECORD_SIZE) == 0;
}

#endif
