/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtio block driver (OASIS virtio 1.1, 5.2): one queue of a modern PCI
 * device.
 */
#ifndef PARCLOSE_IO_VIRTIO_BLK_H
#define PARCLOSE_IO_VIRTIO_BLK_H

#include "block.h"
#include "virtio_pci.h"

#define VIRTIO_BLK_SLOTS 128u
#define VIRTIO_BLK_TABLE 18u         /* descriptors of a command: header, data, status last */
#define VIRTIO_BLK_DIRECT 8u         /* where the device has no indirect ones */
#define VIRTIO_BLK_OTHERS 2u         /* of them, header and status */
#define VIRTIO_BLK_LONGEST 0x100000u /* bytes: a longer command would keep the device from other clients */
#define VIRTIO_BLK_IDENTITY 20u

/* Requests [5.2.6] */
#define REQUEST_IN 0u
#define REQUEST_OUT 1u
#define REQUEST_FLUSH 4u
#define REQUEST_GET_ID 8u
#define REQUEST_DISCARD 11u
#define REQUEST_WRITE_ZEROES 13u
#define REQUEST_OK 0u
#define REQUEST_UNANSWERED 0xffu /* ours: none of the device's words */
#define RANGE_UNMAP 1u
#define VIRTIO_SECTOR_SHIFT 9u /* of every sector number, whatever the block size */

struct virtio_blk_header {
  uint32_t type;
  uint32_t reserved;
  uint64_t sector;
};

/* What discard and write zeroes have as their data. */
struct virtio_blk_range {
  uint64_t sector;
  uint32_t sectors;
  uint32_t flags;
};

struct virtio_blk_command {
  struct virtio_blk_header header;
  struct virtio_blk_range range;
  uint8_t status; /* the device's */
  uint8_t reserved[31];
};

struct virtio_blk_memory {
  _Alignas(4096) struct virtio_descriptor table[VIRTIO_BLK_SLOTS][VIRTIO_BLK_TABLE];
  struct virtio_blk_command command[VIRTIO_BLK_SLOTS];
  struct virtio_rings rings;
  uint8_t identity[VIRTIO_BLK_IDENTITY];
};

enum virtio_blk_state { SLOT_IDLE, SLOT_UNDER_WAY, SLOT_TAKEN_BY_RESET };

/* A place for a command. What its chain consists of stays the same but for the data. */
struct virtio_blk_slot {
  struct virtio_blk_slot *next; /* free one */
  struct virtio_descriptor *table;
  struct virtio_blk_command *command;
  uint32_t tag;
  uint16_t head, link; /* of the chain; of the table's first entry */
  uint8_t state;
  bool heartbeat; /* any answer will do */
};

struct virtio_blk {
  struct block_device block; /* first: a block_device is one of these */
  struct virtio_blk_memory *memory;
  uint64_t bias;
  struct virtio_blk_slot *free; /* block.free of them */
  uint32_t segments;            /* data buffers of one command */
  uint32_t segment_length;      /* bytes of one of them */
  uint16_t last;                /* entry of a table: the status */
  bool ready, takes[2];         /* by direction */
  bool nonsense;
  uint32_t lost; /* commands that a reset took and poll has not told yet */
  struct virtio_pci pci;
  struct virtio_queue queue;
  struct virtio_blk_slot slot[VIRTIO_BLK_SLOTS];
};

struct block_device *virtio_blk_open(const struct driver_resources *given);

/* --- between the two files of the driver --- */

/* virtio_blk_io.c */
void virtio_blk_slots_reset(struct virtio_blk *disk);
enum block_result virtio_blk_submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag);
enum block_result virtio_blk_flush(struct block_device *device, uint32_t tag);
enum block_result virtio_blk_discard(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag);
enum block_result virtio_blk_zeroes(struct block_device *device, uint64_t offset, uint64_t length, bool unmap,
                                    uint32_t tag);
void virtio_blk_commit(struct block_device *device);
uint32_t virtio_blk_poll(struct block_device *device, struct block_completion *completions, uint32_t limit);

#endif
