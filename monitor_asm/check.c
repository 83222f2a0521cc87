/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this the machine that the image was planned for? Runs on the boot tables, before anything is touched. What is
 * checked is that each planned extent is usable, not that memory maps are equal.
 */
#include "instructions.h"
#include "monitor.h"

static const char image_changed[] = "the image itself, which was changed or has parts of different builds";

/* Of `size` bytes, a multiple of 8, from `start` on; `sum` is that of what precedes them. */
static uint64_t checksum(uint64_t sum, const void *start, uint64_t size) {
  const uint64_t *word = start;
  for (const uint64_t *end = word + size / sizeof *word; word != end; word++) {
    sum = (sum ^ *word) * CHECKSUM_PRIME;
    sum = sum << CHECKSUM_TURN | sum >> (64 - CHECKSUM_TURN);
  }
  return sum;
}

static uint64_t database_checksum(const struct database *database) {
  const uint64_t itself = 0;
  uint64_t rest = offsetof(struct database, checksum) + sizeof itself;
  uint64_t sum = checksum(CHECKSUM_START, database, offsetof(struct database, checksum));
  sum = checksum(sum, &itself, sizeof itself);
  return checksum(sum, (const char *)database + rest, database->size - rest);
}

/* First of all: until then not even the ports to print on are known to be the planned ones. */
static void check_database(void) {
  const struct database *database = DATABASE;
  if (database->magic != DATABASE_MAGIC)
    refuse("resource database", "magic", image_changed, DATABASE_MAGIC, database->magic);
  if (database->version != DATABASE_VERSION)
    refuse("resource database", "version", image_changed, DATABASE_VERSION, database->version);
  if (database->size < sizeof *database || database->size > DATABASE_SIZE || database->size % 8 != 0)
    refuse("resource database", "most bytes", image_changed, DATABASE_SIZE, database->size);
  uint64_t sum = database_checksum(database);
  if (sum != database->checksum)
    refuse("checksum of", "resource database", image_changed, database->checksum, sum);
  ASSERT(database->partitions.count <= LIMIT_PARTITIONS);
  ASSERT(database->descriptors.count <= LIMIT_DESCRIPTORS && database->channels.count <= LIMIT_CHANNELS);
  ASSERT(database->manager < database->partitions.count && database->interrupts.count <= LIMIT_INTERRUPTS);
}

/* Page tables, I/O bitmaps and what else the database vouches for, this monitor included. */
static void check_sums(void) {
  const struct sum_row *row = TABLE(sums, sum_row);
  for (uint32_t i = 0; i < DATABASE->sums.count; i++) {
    ASSERT(row[i].start < BOOT_MAPPED && row[i].size <= BOOT_MAPPED - row[i].start);
    uint64_t sum = checksum(CHECKSUM_START, (const void *)row[i].start, row[i].size);
    if (sum != row[i].sum)
      refuse("checksum of", row[i].name, image_changed, row[i].sum, sum);
  }
}

static bool has_feature(const struct feature_row *row) {
  uint32_t output[4];
  cpuid(row->leaf & 0x80000000, 0, output);
  if (output[0] < row->leaf)
    return false;
  cpuid(row->leaf, row->subleaf, output);
  return output[row->output & 3] >> (row->bit & 31) & 1;
}

static void check_processor(void) {
  const struct feature_row *row = TABLE(features, feature_row);
  for (uint32_t i = 0; i < DATABASE->features.count; i++)
    if (!has_feature(&row[i]))
      refuse("processor feature", row[i].name, row[i].source, 1, 0);
}

/* How many bytes from `start` on are usable without a gap; entries may touch one another in any order. */
static uint64_t usable_from(struct memory_map map, uint64_t start) {
  uint64_t end = start;
  for (uint32_t round = 0; round < map.count; round++)
    for (const struct memory_entry *entry = map.entry; entry != map.entry + map.count; entry++)
      if (entry->type == MEMORY_USABLE && entry->start <= end && entry->start + entry->size > end)
        end = entry->start + entry->size;
  return end - start;
}

static void check_memory(struct memory_map map) {
  const struct memory_row *row = TABLE(memory, memory_row);
  for (uint32_t i = 0; i < DATABASE->memory.count; i++) {
    uint64_t usable = usable_from(map, row[i].start);
    if (usable < row[i].size)
      refuse("bytes of usable memory for", row[i].name, row[i].source, row[i].size, usable);
  }
}

void check_machine(struct memory_map map) {
  check_database();
  check_processor();
  check_memory(map);
  check_sums();
  pci_check();
}
