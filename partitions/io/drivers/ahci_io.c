/* SPDX-License-Identifier: Apache-2.0
 *
 * AHCI reads, writes and flushes: command slots, regions of memory (AHCI 1.3.1,
 * 4.2.3 and 5.5), completions. The hot path.
 */
#include "access.h"
#include "ahci.h"

void ahci_slots_reset(struct ahci *ahci, uint32_t depth) {
  ahci->free = (depth == AHCI_SLOTS ? UINT32_MAX : (1u << depth) - 1) & ~(ahci->failed | ahci->again);
  ahci->native = (ahci->native & ahci->again) | (ahci->queueing ? ~ahci->again : 0);
  ahci->block.depth = depth;
  ahci->block.free = (uint32_t)__builtin_popcount(ahci->free);
}

/* --- building a command --- */

void ahci_fill(struct ahci_header *header, union ahci_fis *fis, uint8_t command, uint32_t flags, uint32_t regions) {
  header->flags = HEADER_FIS_DWORDS | flags | HEADER_PRDTL(regions);
  header->transferred = 0;
  *fis = (union ahci_fis){.type = FIS_REGISTER_H2D, .flags = FIS_COMMAND, .command = command};
}

static inline uint32_t take_slot(struct ahci *ahci, uint32_t slot, uint32_t tag) {
  ahci->free &= ~(1u << slot);
  ahci->block.free--;
  ahci->retried &= ~(1u << slot);
  ahci->tag[slot] = tag;
  return slot;
}

struct taken {
  uint32_t regions, bytes;
  uint32_t bits; /* of all addresses and lengths together */
};

/* Takes what one command can hold from the front of a transfer. Apart, so that the usual case needs no registers for it. */
__attribute__((noinline)) static struct taken take_regions(struct block_transfer *transfer,
                                                           struct ahci_region *region) {
  struct taken taken = {0};
  while (transfer->count && taken.bytes < AHCI_LONGEST && taken.regions < AHCI_REGIONS) {
    struct block_segment *segment = transfer->segment;
    uint32_t length = segment->length;
    if (length > AHCI_LONGEST - taken.bytes)
      length = AHCI_LONGEST - taken.bytes;
    region[taken.regions].address = segment->physical;
    region[taken.regions++].last = length - 1;
    taken.bits |= (uint32_t)segment->physical | length;
    taken.bytes += length;
    if (length == segment->length) {
      transfer->segment++;
      transfer->count--;
    } else {
      segment->physical += length;
      segment->length -= length;
    }
  }
  return taken;
}

static inline struct taken take_front(struct block_transfer *transfer, struct ahci_region *region) {
  const struct block_segment *segment = transfer->segment;
  if (transfer->count != 1 || segment->length > AHCI_LONGEST)
    return take_regions(transfer, region);
  region->address = segment->physical;
  region->last = segment->length - 1;
  transfer->count = 0;
  return (struct taken){1, segment->length, (uint32_t)segment->physical | segment->length};
}

/* A queued command has the count where others have features, and its slot where they have the count (SATA 3.2, 13.6.4). Two wide
   stores for what are sixteen bytes. */
static inline void address(union ahci_fis *fis, uint32_t first, uint64_t block, uint32_t features, uint32_t count) {
  uint64_t low = (first | features << 24) | (block << 40 >> 8 | (uint64_t)ATA_DEVICE_LBA << 56);
  uint64_t high = (block >> 24 | (features >> 8) << 24) | (uint64_t)count << 32;
  __builtin_memcpy(&fis->word[0], &low, sizeof low);
  __builtin_memcpy(&fis->word[2], &high, sizeof high);
}

static void wait_alone(struct ahci *ahci, uint32_t slot) {
  ahci->native &= ~(1u << slot);
  ahci->waiting |= 1u << slot;
}

/* On the medium before it ends. */
static void force(const struct ahci *ahci, const struct block_transfer *transfer, uint32_t slot) {
  union ahci_fis *fis = &ahci->memory->table[slot].fis;
  if (transfer->direction != BLOCK_WRITE)
    return;
  if (ahci->queueing)
    fis->device |= ATA_DEVICE_FUA;
  else
    fis->command = ATA_WRITE_DMA_FUA_EXT;
}

static enum block_result no_room(const struct ahci *ahci) {
  return ahci->phase == AHCI_DOWN ? BLOCK_REFUSED : BLOCK_BUSY;
}

/* Nothing is added while something must run, or runs, alone. Regions begin at even addresses and have even lengths (AHCI 1.3.1,
   4.2.3.3). A count of blocks that were none would mean 65,536. */
enum block_result ahci_submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag) {
  struct ahci *ahci = ahci_of(device);
  if (ahci->phase != AHCI_RUNNING || (ahci->waiting | ahci->alone | ahci->again) || !ahci->free)
    return no_room(ahci);
  if (transfer->through && !(device->features & BLOCK_FUA))
    return BLOCK_REFUSED;
  uint64_t offset = transfer->offset;
  uint32_t slot = (uint32_t)__builtin_ctz(ahci->free);
  struct taken taken = take_front(transfer, ahci->memory->table[slot].region);
  if ((taken.bits & 1) || taken.bytes == 0 || ((offset | taken.bytes) & (device->block_size - 1)))
    return BLOCK_REFUSED;
  transfer->offset = offset + taken.bytes;
  take_slot(ahci, slot, tag);
  uint64_t block = offset >> ahci->block_shift;
  uint32_t blocks = taken.bytes >> ahci->block_shift;
  ahci->memory->header[slot].flags = ahci->header_flags[transfer->direction] | HEADER_PRDTL(taken.regions);
  union ahci_fis *fis = &ahci->memory->table[slot].fis;
  if (ahci->queueing) {
    address(fis, ahci->first_word[transfer->direction], block, blocks, slot << 3);
    ahci->built |= 1u << slot;
  } else {
    address(fis, ahci->first_word[transfer->direction], block, 0, blocks);
    wait_alone(ahci, slot);
  }
  if (transfer->through)
    force(ahci, transfer, slot);
  return BLOCK_TAKEN;
}

/* ATA8-ACS, 7.10.3: ranges of blocks in a block of 512 bytes, which the device reads; a range of none says nothing. */
enum block_result ahci_discard(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag) {
  struct ahci *ahci = ahci_of(device);
  if (ahci->phase == AHCI_DOWN || !(device->features & BLOCK_DISCARD) || length > device->longest_discard)
    return BLOCK_REFUSED;
  if (length == 0 || ((offset | length) & (device->block_size - 1)))
    return BLOCK_REFUSED;
  if (ahci->free == 0)
    return BLOCK_BUSY;
  uint32_t slot = take_slot(ahci, (uint32_t)__builtin_ctz(ahci->free), tag);
  uint64_t block = offset >> ahci->block_shift, left = length >> ahci->block_shift;
  for (uint32_t i = 0; i < AHCI_RANGES; i++) {
    uint64_t blocks = left < ATA_RANGE_BLOCKS ? left : ATA_RANGE_BLOCKS;
    ahci->memory->range[slot][i] = blocks ? blocks << 48 | block : 0;
    block += blocks;
    left -= blocks;
  }
  struct ahci_table *table = &ahci->memory->table[slot];
  ahci_fill(&ahci->memory->header[slot], &table->fis, ATA_DATA_SET_MANAGEMENT, HEADER_WRITE, 1);
  table->region[0] = (struct ahci_region){.address = ahci_address(ahci, ahci->memory->range[slot]),
                                          .last = sizeof ahci->memory->range[slot] - 1};
  table->fis.features_low = ATA_TRIM;
  table->fis.count_low = 1;
  table->fis.device = ATA_DEVICE_LBA;
  wait_alone(ahci, slot);
  return BLOCK_TAKEN;
}

enum block_result ahci_flush(struct block_device *device, uint32_t tag) {
  struct ahci *ahci = ahci_of(device);
  if (ahci->phase == AHCI_DOWN)
    return BLOCK_REFUSED;
  if (ahci->free == 0)
    return BLOCK_BUSY;
  uint32_t slot = take_slot(ahci, (uint32_t)__builtin_ctz(ahci->free), tag);
  ahci_fill(&ahci->memory->header[slot], &ahci->memory->table[slot].fis, ATA_FLUSH_CACHE_EXT, 0, 0);
  wait_alone(ahci, slot);
  return BLOCK_TAKEN;
}

/* --- issuing --- */

/* What must run alone, once nothing else runs: first what an error took, then what waits for all that came before it. */
void ahci_issue_alone(struct ahci *ahci) {
  if (ahci->phase != AHCI_RUNNING || (ahci->queued | ahci->alone))
    return;
  if (!ahci->again && (!ahci->waiting || ahci->built))
    return;
  uint32_t *set = ahci->again ? &ahci->again : &ahci->waiting;
  ahci->alone = *set & -*set;
  *set &= *set - 1;
  if (ahci->alone & ahci->native)
    register_write32(ahci->port + PORT_SACT, ahci->alone);
  register_write32(ahci->port + PORT_CI, ahci->alone);
}

void ahci_commit(struct block_device *device) {
  struct ahci *ahci = ahci_of(device);
  if (ahci->phase != AHCI_RUNNING)
    return;
  if (ahci->built && !ahci->alone && !ahci->again) {
    register_write32(ahci->port + PORT_SACT, ahci->built);
    register_write32(ahci->port + PORT_CI, ahci->built);
    ahci->queued |= ahci->built;
    ahci->built = 0;
  }
  if (ahci->waiting)
    ahci_issue_alone(ahci);
}

/* --- completion --- */

/* What is free counts as queued, so that the usual command need not say it. */
static void forget_kind(struct ahci *ahci, uint32_t slots) {
  ahci->native |= ahci->queueing ? slots : 0;
}

static struct block_completion free_slot(struct ahci *ahci, uint32_t slot, uint32_t error) {
  ahci->free |= 1u << slot;
  ahci->block.free++;
  return (struct block_completion){ahci->tag[slot], error};
}

static uint32_t poll_failed(struct ahci *ahci, struct block_completion *completions, uint32_t limit) {
  uint32_t count = 0;
  forget_kind(ahci, ahci->failed);
  for (; ahci->failed && count < limit; ahci->failed &= ahci->failed - 1) {
    uint32_t slot = (uint32_t)__builtin_ctz(ahci->failed);
    completions[count++] = free_slot(ahci, slot, ahci->error[slot]);
  }
  return count;
}

/* Why the port wants to be looked at. Cleared before we look, so that what comes afterwards is an interrupt again. */
static void take_causes(struct ahci *ahci) {
  uint32_t causes = register_read32(ahci->port + PORT_IS);
  if (!(causes & IS_WANTED) || causes == REGISTER_ABSENT)
    return;
  register_write32(ahci->port + PORT_IS, causes);
  register_write32(ahci->registers + AHCI_IS, 1u << ahci->number);
  ahci->trouble |= causes & IS_ERRORS;
}

/* The commands that have ended, of those that we know of. A controller that is gone reads as if none had. */
static uint32_t ended(const struct ahci *ahci) {
  uint32_t native = ahci->queued | (ahci->alone & ahci->native), plain = ahci->alone & ~ahci->native, done = 0;
  if (native)
    done = native & ~register_read32(ahci->port + PORT_SACT);
  if (plain)
    done |= plain & ~register_read32(ahci->port + PORT_CI);
  return done;
}

/* The task file is asked where the causes say so, and where they may not: nothing has ended, or a command that is not queued,
   which some controllers take from the list when it fails too. */
static bool in_error(const struct ahci *ahci, uint32_t done, uint32_t *task_file) {
  if (!ahci->trouble && done && !(done & ~ahci->native))
    return false;
  if (!ahci->trouble && !(ahci->queued | ahci->alone))
    return false;
  *task_file = register_read32(ahci->port + PORT_TFD);
  return ahci->trouble || (*task_file != REGISTER_ABSENT && (*task_file & TFD_ERR));
}

static uint32_t poll_ended(struct ahci *ahci, struct block_completion *completions, uint32_t limit) {
  take_causes(ahci);
  uint32_t done = ended(ahci), count = 0, task_file = 0;
  bool bad = in_error(ahci, done, &task_file);
  if (bad)
    done &= ~(ahci->alone & ~ahci->native);
  if (ahci->alone)
    forget_kind(ahci, done & ahci->alone);
  for (; done && count < limit; done &= done - 1) {
    uint32_t slot = (uint32_t)__builtin_ctz(done);
    ahci->queued &= ~(1u << slot);
    ahci->alone &= ~(1u << slot);
    completions[count++] = free_slot(ahci, slot, 0);
  }
  if (bad && !done)
    ahci_error(ahci, task_file);
  return count;
}

uint32_t ahci_poll(struct block_device *device, struct block_completion *completions, uint32_t limit) {
  struct ahci *ahci = ahci_of(device);
  uint32_t count = 0;
  if (ahci->phase == AHCI_RUNNING)
    count = poll_ended(ahci, completions, limit);
  else if (ahci->phase != AHCI_DOWN)
    ahci_recover(ahci);
  if (ahci->failed)
    count += poll_failed(ahci, &completions[count], limit - count);
  if (ahci->again | ahci->waiting)
    ahci_issue_alone(ahci);
  return count;
}
