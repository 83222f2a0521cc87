/* SPDX-License-Identifier: Apache-2.0
 *
 * Life cycle of a virtio disk: reset, features, configuration (OASIS virtio
 * 1.1, 5.2.3 to 5.2.5), its queue.
 */
#include "virtio_blk.h"
#include "access.h"

/* 5.2.3 */
#define VIRTIO_BLK_F_SIZE_MAX (1u << 1)
#define VIRTIO_BLK_F_SEG_MAX (1u << 2)
#define VIRTIO_BLK_F_RO (1u << 5)
#define VIRTIO_BLK_F_BLK_SIZE (1u << 6)
#define VIRTIO_BLK_F_FLUSH (1u << 9)
#define VIRTIO_BLK_F_DISCARD (1u << 13)
#define VIRTIO_BLK_F_WRITE_ZEROES (1u << 14)
#define FEATURES                                                                                                       \
  (VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_RO | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH |       \
   VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES)

/* 5.2.4 */
#define CONFIG_CAPACITY 0u
#define CONFIG_SIZE_MAX 8u
#define CONFIG_SEG_MAX 12u
#define CONFIG_BLK_SIZE 20u
#define CONFIG_MAX_DISCARD_SECTORS 36u
#define CONFIG_DISCARD_SECTOR_ALIGNMENT 44u
#define CONFIG_MAX_WRITE_ZEROES_SECTORS 48u
#define CONFIG_WRITE_ZEROES_MAY_UNMAP 56u
#define CONFIG_SIZE 60u

#define CONFIG_READINGS 100u

static struct virtio_blk *disk_of(struct block_device *device) {
  return (struct virtio_blk *)device;
}

static bool stop(struct virtio_blk *disk) {
  disk->ready = disk->takes[BLOCK_READ] = disk->takes[BLOCK_WRITE] = false;
  return false;
}

static bool fail(struct virtio_blk *disk, const char *problem) {
  disk->block.problem = problem;
  return stop(disk);
}

/* --- reset --- */

static void lose_commands(struct virtio_blk *disk) {
  for (uint32_t i = 0; i < VIRTIO_BLK_SLOTS; i++) {
    if (disk->slot[i].state != SLOT_UNDER_WAY)
      continue;
    disk->slot[i].state = SLOT_TAKEN_BY_RESET;
    disk->lost++;
  }
}

static bool reset(struct block_device *device) {
  struct virtio_blk *disk = disk_of(device);
  stop(disk);
  const char *problem = virtio_pci_reset(&disk->pci);
  if (problem)
    return fail(disk, problem);
  lose_commands(disk);
  return true;
}

/* --- what the device says of itself --- */

struct configuration {
  uint64_t sectors;
  uint32_t segment_length, segments, block_size;
  uint32_t discard_sectors, discard_alignment, zeroes_sectors;
  bool zeroes_unmap;
};

static bool has(const struct virtio_blk *disk, uint32_t feature) {
  return disk->pci.features & feature;
}

/* A field of 32 bits that exists where `feature` does. */
static uint32_t field(const struct virtio_blk *disk, uint32_t feature, uint32_t offset, uint32_t otherwise) {
  return has(disk, feature) ? register_read32(disk->pci.device + offset) : otherwise;
}

static struct configuration read_once(const struct virtio_blk *disk) {
  uint32_t zeroes = VIRTIO_BLK_F_WRITE_ZEROES, discard = VIRTIO_BLK_F_DISCARD;
  return (struct configuration){
      .sectors = register_read64(disk->pci.device + CONFIG_CAPACITY),
      .segment_length = field(disk, VIRTIO_BLK_F_SIZE_MAX, CONFIG_SIZE_MAX, VIRTIO_BLK_LONGEST),
      .segments = field(disk, VIRTIO_BLK_F_SEG_MAX, CONFIG_SEG_MAX, 1),
      .block_size = field(disk, VIRTIO_BLK_F_BLK_SIZE, CONFIG_BLK_SIZE, 1u << VIRTIO_SECTOR_SHIFT),
      .discard_sectors = field(disk, discard, CONFIG_MAX_DISCARD_SECTORS, 0),
      .discard_alignment = field(disk, discard, CONFIG_DISCARD_SECTOR_ALIGNMENT, 0),
      .zeroes_sectors = field(disk, zeroes, CONFIG_MAX_WRITE_ZEROES_SECTORS, 0),
      .zeroes_unmap = has(disk, zeroes) && register_read8(disk->pci.device + CONFIG_WRITE_ZEROES_MAY_UNMAP),
  };
}

static bool read_configuration(const struct virtio_blk *disk, struct configuration *configuration) {
  for (uint32_t i = 0; i < CONFIG_READINGS; i++) {
    uint8_t before = virtio_pci_generation(&disk->pci);
    *configuration = read_once(disk);
    if (virtio_pci_generation(&disk->pci) == before)
      return true;
  }
  return false;
}

/* Bytes of a command over so many sectors: whole blocks that a 32-bit number holds. */
static uint32_t command_bytes(const struct virtio_blk *disk, uint32_t sectors) {
  uint64_t bytes = (uint64_t)sectors << VIRTIO_SECTOR_SHIFT;
  uint32_t most = 0u - disk->block.block_size;
  return bytes < most ? (uint32_t)bytes & most : most;
}

static void set_features(struct virtio_blk *disk, const struct configuration *configuration) {
  struct block_device *block = &disk->block;
  bool read_only = has(disk, VIRTIO_BLK_F_RO);
  block->longest_discard = read_only ? 0 : command_bytes(disk, configuration->discard_sectors);
  block->longest_zeroes = read_only ? 0 : command_bytes(disk, configuration->zeroes_sectors);
  block->discard_alignment = command_bytes(disk, configuration->discard_alignment);
  block->features = (read_only ? BLOCK_READ_ONLY : 0u) | (has(disk, VIRTIO_BLK_F_FLUSH) ? BLOCK_CACHE : 0u) |
                    (block->longest_discard ? BLOCK_DISCARD : 0u) | (block->longest_zeroes ? BLOCK_ZEROES : 0u) |
                    (block->longest_zeroes && configuration->zeroes_unmap ? BLOCK_ZEROES_UNMAP : 0u);
}

static bool identify(struct virtio_blk *disk) {
  struct configuration configuration;
  struct block_device *block = &disk->block;
  if (!read_configuration(disk, &configuration))
    return fail(disk, "the device's configuration does not stay the same");
  uint32_t size = configuration.block_size;
  if (size < 512 || size > 4096 || (size & (size - 1)))
    return fail(disk, "the device's blocks are not of 512 to 4096 bytes");
  block->block_size = size;
  disk->segment_length =
      configuration.segment_length < VIRTIO_BLK_LONGEST ? configuration.segment_length & -size : VIRTIO_BLK_LONGEST;
  disk->segments = configuration.segments;
  if (disk->segment_length == 0 || disk->segments == 0)
    return fail(disk, "the device takes no piece of data as large as a block");
  if (configuration.sectors > UINT64_MAX >> VIRTIO_SECTOR_SHIFT)
    return fail(disk, "the device says a size that cannot be");
  block->size = configuration.sectors << VIRTIO_SECTOR_SHIFT;
  set_features(disk, &configuration);
  return true;
}

/* --- start --- */

static uint64_t device_address(const struct virtio_blk *disk, const void *memory) {
  return (uint64_t)(uintptr_t)memory + disk->bias;
}

/* A command's first descriptor is its header, its last in the table the status: always the same. Data come between. */
static void prepare_table(struct virtio_blk *disk, uint32_t slot) {
  const struct virtio_queue *queue = &disk->queue;
  struct virtio_blk_command *command = &disk->memory->command[slot];
  struct virtio_descriptor *table = virtio_queue_table(queue, slot);
  disk->slot[slot].table = table;
  disk->slot[slot].command = command;
  disk->slot[slot].head = virtio_queue_head(queue, slot);
  disk->slot[slot].link = virtio_queue_link(queue, slot, 0);
  table[0] = (struct virtio_descriptor){device_address(disk, &command->header), sizeof command->header,
                                        VIRTIO_DESC_NEXT, virtio_queue_link(queue, slot, 1)};
  table[disk->last] = (struct virtio_descriptor){device_address(disk, &command->status), 1, VIRTIO_DESC_WRITE, 0};
}

static bool set_up_queue(struct virtio_blk *disk) {
  const struct virtio_queue_plan plan = {.rings = &disk->memory->rings,
                                         .tables = disk->memory->table[0],
                                         .bias = disk->bias,
                                         .slots = VIRTIO_BLK_SLOTS,
                                         .table_entries = VIRTIO_BLK_TABLE,
                                         .direct_entries = VIRTIO_BLK_DIRECT,
                                         .features = disk->pci.features};
  const char *problem = virtio_pci_queue(&disk->pci, &disk->queue, &plan, 0);
  if (problem)
    return fail(disk, problem);
  uint32_t room = disk->queue.table_entries - VIRTIO_BLK_OTHERS;
  if (disk->segments > room)
    disk->segments = room;
  disk->last = (uint16_t)(disk->queue.table_entries - 1);
  disk->block.depth = disk->queue.slots;
  disk->block.longest = VIRTIO_BLK_LONGEST;
  for (uint32_t slot = 0; slot < disk->queue.slots; slot++)
    prepare_table(disk, slot);
  return true;
}

static bool start(struct block_device *device) {
  struct virtio_blk *disk = disk_of(device);
  const char *problem = virtio_pci_begin(&disk->pci, FEATURES);
  if (problem)
    return fail(disk, problem);
  if (!identify(disk) || !set_up_queue(disk))
    return false;
  virtio_blk_slots_reset(disk);
  virtio_pci_ready(&disk->pci);
  device->problem = 0;
  disk->nonsense = false;
  disk->ready = disk->takes[BLOCK_READ] = true;
  disk->takes[BLOCK_WRITE] = !(device->features & BLOCK_READ_ONLY);
  return true;
}

static bool failed(struct block_device *device) {
  const struct virtio_blk *disk = disk_of(device);
  return disk->nonsense || virtio_pci_failed(&disk->pci);
}

static const struct block_driver VIRTIO_BLK_DRIVER = {
    .error_words = {0, "status"},
    .reset = reset,
    .start = start,
    .submit = virtio_blk_submit,
    .flush = virtio_blk_flush,
    .discard = virtio_blk_discard,
    .zeroes = virtio_blk_zeroes,
    .commit = virtio_blk_commit,
    .poll = virtio_blk_poll,
    .failed = failed,
};

struct block_device *virtio_blk_open(const struct driver_resources *given) {
  struct virtio_blk *disk = given->state;
  *disk = (struct virtio_blk){.memory = given->memory, .bias = given->bias};
  disk->block.driver = &VIRTIO_BLK_DRIVER;
  disk->block.problem = virtio_pci_find(&disk->pci, given, CONFIG_SIZE);
  return &disk->block;
}
