/* SPDX-License-Identifier: Apache-2.0
 *
 * The one interface of block drivers. A driver owns registers and queues; it
 * knows no client, no channel and no extent. Addresses are the device's
 * (physical without an IOMMU), offsets and lengths bytes on the whole device.
 *
 * Order in every life: reset (needs no DMA) → the caller tells the monitor that
 * the device is quiet → start → any number of submit, flush, commit, poll.
 * Nothing here waits but reset and start.
 */
#ifndef PARCLOSE_IO_BLOCK_H
#define PARCLOSE_IO_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum block_direction { BLOCK_READ, BLOCK_WRITE };

struct block_segment {
  uint64_t physical;
  uint32_t length; /* bytes, a multiple of the device's block size */
};

/* What is still to be moved. submit takes from its front what fits one command. */
struct block_transfer {
  uint64_t offset;
  struct block_segment *segment; /* `count` of them; the first shrinks as it is taken */
  uint32_t count;
  enum block_direction direction;
  bool through; /* a write that is on the medium before it completes: only where the device has BLOCK_FUA */
};

enum block_result {
  BLOCK_TAKEN,   /* a command is queued; one completion with its tag will come */
  BLOCK_BUSY,    /* all commands are in use: again after a completion */
  BLOCK_REFUSED, /* the device cannot do this one, ever */
};

struct block_completion {
  uint32_t tag;
  uint32_t
      error; /* 0: done. Else in the device's own words, two of a byte each (block_driver.error_words), or BLOCK_ERROR_* */
};

#define BLOCK_ERROR_RESET 0x10000u /* the driver reset the device while the command was under way */

enum block_feature {
  BLOCK_FUA = 1,          /* a transfer may ask to be `through` */
  BLOCK_DISCARD = 2,      /* has `discard`: what is read there afterwards is anything */
  BLOCK_ZEROES = 4,       /* has `zeroes` */
  BLOCK_ZEROES_UNMAP = 8, /* `zeroes` may give the blocks back to the device */
  BLOCK_CACHE = 16,       /* what was written may be lost at a loss of power until a flush */
  BLOCK_READ_ONLY = 32,   /* all else than reads and flushes is refused */
};

struct block_device;

struct block_driver {
  const char *error_words[2]; /* what the high and the low byte of an error are called; the first null: one word only */
  bool (*reset)(struct block_device *device); /* stops all DMA; false: the device does not obey */
  bool (*start)(struct block_device *device); /* identifies the device and sets its queues up */
  enum block_result (*submit)(struct block_device *device, struct block_transfer *transfer, uint32_t tag);
  enum block_result (*flush)(struct block_device *device, uint32_t tag);
  /* Null or refused where features has them not. Offset and length: multiples of block_size, at most longest_… in all. */
  enum block_result (*discard)(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag);
  enum block_result (*zeroes)(struct block_device *device, uint64_t offset, uint64_t length, bool unmap, uint32_t tag);
  void (*commit)(struct block_device *device); /* makes all that was queued since visible to the device */
  uint32_t (*poll)(struct block_device *device, struct block_completion *completions, uint32_t limit);
  /* May be null. A command has been under way for long: the device is asked to give it up. It completes all the same, or not. */
  void (*late)(struct block_device *device, uint32_t tag);
  bool (*failed)(
      struct block_device *device); /* says the device itself that only a reset helps? (slow: not for the hot path) */
};

/* What a server may read of every device; the rest is the driver's. */
struct block_device {
  const struct block_driver *driver;
  const char *problem;                      /* why reset or start failed; 0: they did not */
  uint64_t size;                            /* bytes */
  uint32_t block_size;                      /* bytes */
  uint32_t longest;                         /* bytes of one command */
  uint32_t depth;                           /* commands at the same time */
  uint32_t free;                            /* commands that submit would take now */
  uint32_t features;                        /* BLOCK_*, once started */
  uint32_t longest_discard, longest_zeroes; /* bytes of one command; 0: none */
  uint32_t discard_alignment;               /* bytes; what is not aligned may have no effect */
};

#endif
