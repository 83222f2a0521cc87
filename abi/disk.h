/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and configuration of a block channel, as the virtio block device has
 * them (OASIS virtio 1.1, 5.2). What one of our servers asks beyond it: header,
 * status and the range of a discard stand in the channel's window, data in the
 * client's own memory.
 */
#ifndef PARCLOSE_DISK_H
#define PARCLOSE_DISK_H

#include <stdint.h>

#define VIRTIO_BLK_T_IN 0u  /* read from the disk */
#define VIRTIO_BLK_T_OUT 1u /* write to the disk */
#define VIRTIO_BLK_T_FLUSH 4u
#define VIRTIO_BLK_T_GET_ID 8u
#define VIRTIO_BLK_T_DISCARD 11u      /* one range: what is read there afterwards is anything */
#define VIRTIO_BLK_T_WRITE_ZEROES 13u /* one range */
#define VIRTIO_BLK_S_OK 0u
#define VIRTIO_BLK_S_IOERR 1u
#define VIRTIO_BLK_S_UNSUPP 2u
#define VIRTIO_BLK_SECTOR 512u /* unit of all sectors here, whatever the block size */

/* In `reserved` of a write: it is on the medium before it is answered. Ours: virtio has flush only. Linux puts a priority into
   the lower half. */
#define VIRTIO_BLK_THROUGH 0x80000000u

#define VIRTIO_BLK_RANGE_UNMAP 1u /* flags, write zeroes only: the blocks may be given back to the device */

/* Feature bits (channel_header.features). */
#define VIRTIO_BLK_F_SEG_MAX 2u
#define VIRTIO_BLK_F_RO 5u
#define VIRTIO_BLK_F_BLK_SIZE 6u
#define VIRTIO_BLK_F_FLUSH 9u /* what was written may be lost with the power until a flush */
#define VIRTIO_BLK_F_TOPOLOGY 10u
#define VIRTIO_BLK_F_DISCARD 13u
#define VIRTIO_BLK_F_WRITE_ZEROES 14u

struct virtio_blk_req {
  uint32_t type;
  uint32_t reserved; /* VIRTIO_BLK_THROUGH */
  uint64_t sector;   /* from the start of the endpoint; of a flush and of a range 0 */
};

struct virtio_blk_discard_write_zeroes {
  uint64_t sector; /* from the start of the endpoint */
  uint32_t num_sectors;
  uint32_t flags;
};

struct virtio_blk_config {
  uint64_t capacity; /* sectors; 0: the endpoint is not served, the log says why */
  uint32_t size_max;
  uint32_t seg_max; /* data buffers of one request */
  uint16_t cylinders;
  uint8_t heads, sectors;
  uint32_t blk_size;          /* bytes */
  uint8_t physical_block_exp; /* blocks in a physical block, as a power of two */
  uint8_t alignment_offset;   /* of the first physical block, in blocks */
  uint16_t min_io_size;       /* blocks */
  uint32_t opt_io_size;       /* blocks: the longest command of the device */
  uint8_t writeback;          /* 1: the device has a cache */
  uint8_t unused0;
  uint16_t num_queues;
  uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
  uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
  uint8_t write_zeroes_may_unmap;
  uint8_t unused1[3];
};

_Static_assert(sizeof(struct virtio_blk_req) == 16, "as virtio has it");
_Static_assert(sizeof(struct virtio_blk_discard_write_zeroes) == 16, "as virtio has it, and as long as a header");
_Static_assert(sizeof(struct virtio_blk_config) == 64, "60 bytes as virtio has it, and padding");

#endif
