/* SPDX-License-Identifier: Apache-2.0
 *
 * A virtio disk in memory, on the model of the transport.
 */
#ifndef IO_VIRTIO_BLK_MODEL_H
#define IO_VIRTIO_BLK_MODEL_H

#include "io_virtio_model.h"

#define DISK_SIZE (8u << 20)
#define DISK_PATTERN 0x5au /* what a discarded block reads as here */

/* Features, without those of the transport (5.2.3) */
#define F_SIZE_MAX (1u << 1)
#define F_SEG_MAX (1u << 2)
#define F_RO (1u << 5)
#define F_BLK_SIZE (1u << 6)
#define F_FLUSH (1u << 9)
#define F_DISCARD (1u << 13)
#define F_WRITE_ZEROES (1u << 14)
#define F_ALL (F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_DISCARD | F_WRITE_ZEROES)

struct disk_model {
  uint32_t block_size, segment_length, segments;
  uint32_t fail_in; /* so many commands from now one fails; 0: none */
  uint32_t commands, flushes, identities;
  bool no_status; /* answers without having written one */
  bool unmapped;  /* by the last write-zeroes */
  uint8_t *disk;
};

extern struct disk_model disk_model;

void disk_power(uint64_t features, uint16_t queue_size, uint32_t block_size, uint32_t segment_length,
                uint32_t segments);

/* Carries out at most so many commands; returns how many. */
uint32_t disk_work(uint32_t limit);

#endif
