/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor's conversion against a model that counts single bytes: random regions, extents and requests, with
 * values at every edge. A difference, or a report of a sanitizer, fails.
 */
#include "../../monitor_asm/convert.h"

#include <stdio.h>
#include <stdlib.h>

#define REGIONS 4
#define BLOCK 512u

static uint64_t seed;
static uint64_t hits[STATUS_COUNT];

static uint64_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

/* Values at which comparisons go wrong, around `base`. */
static uint64_t edge(uint64_t base, uint64_t size) {
  switch (next() % 10) {
  case 0:
    return base;
  case 1:
    return base - 1;
  case 2:
    return base + size;
  case 3:
    return base + size - 1;
  case 4:
    return UINT64_MAX - next() % 4096;
  case 5:
    return next();
  case 6:
    return 0;
  default:
    return base + next() % (size + 1);
  }
}

static int byte_is_inside(uint64_t start, uint64_t size, __uint128_t at) {
  return at >= start && at < (__uint128_t)start + size;
}

struct tables {
  struct descriptor_row descriptors[REGIONS];
  struct region_row regions[REGIONS];
  struct endpoint_row endpoint;
  struct channel_row channel;
};

/* First and last byte inside one and the same region, said with 128 bits so that nothing wraps. */
static uint64_t model(const struct tables *tables, const struct convert_entry *entry) {
  if (entry->length == 0 || (entry->access != RIGHT_READ && entry->access != RIGHT_WRITE))
    return STATUS_BAD_ARGUMENT;
  if (!(tables->channel.buffer_rights & entry->access))
    return STATUS_NO_RIGHT;
  __uint128_t last = (__uint128_t)entry->offset + entry->length - 1;
  if (!byte_is_inside(0, tables->endpoint.size, entry->offset) || !byte_is_inside(0, tables->endpoint.size, last))
    return STATUS_OUTSIDE_EXTENT;
  if (entry->offset % BLOCK != 0 || entry->length % BLOCK != 0)
    return STATUS_UNALIGNED;
  for (uint32_t i = 0; i < REGIONS; i++) {
    uint64_t start = tables->descriptors[i].address, size = tables->regions[i].size;
    if (byte_is_inside(start, size, entry->address) &&
        byte_is_inside(start, size, (__uint128_t)entry->address + entry->length - 1))
      return tables->descriptors[i].rights & entry->access ? STATUS_OK : STATUS_NO_RIGHT;
  }
  return STATUS_BAD_RANGE;
}

/* Regions one after another, some of them with nothing between. */
static void fill(struct tables *tables) {
  struct descriptor_row *descriptors = tables->descriptors;
  struct region_row *regions = tables->regions;
  uint64_t address = 0x400000;
  for (uint32_t i = 0; i < REGIONS; i++) {
    regions[i] = (struct region_row){.physical = 0x2000000 + i * 0x100000, .size = (1 + next() % 8) * PAGE_SIZE};
    descriptors[i] =
        (struct descriptor_row){.row = (uintptr_t)&regions[i], .address = address, .rights = (uint32_t)(next() % 8)};
    address += regions[i].size + next() % 2 * PAGE_SIZE;
  }
  tables->endpoint =
      (struct endpoint_row){.block_mask = BLOCK - 1, .start = next() % 1024 * BLOCK, .size = (1 + next() % 64) * BLOCK};
  tables->channel = (struct channel_row){.buffer_rights = (uint32_t)(next() % 4),
                                         .endpoint_row = (uintptr_t)&tables->endpoint,
                                         .client_first_region = (uintptr_t)descriptors,
                                         .client_last_region = (uintptr_t)&descriptors[REGIONS - 1]};
}

static void one(void) {
  struct tables tables;
  fill(&tables);
  const struct descriptor_row *descriptors = tables.descriptors;
  const struct region_row *regions = tables.regions;
  uint32_t pick = (uint32_t)(next() % REGIONS);
  uint64_t size = tables.endpoint.size;
  struct convert_entry entry = {.address = edge(descriptors[pick].address, regions[pick].size),
                                .offset = edge(0, size) & (next() % 8 ? ~(uint64_t)(BLOCK - 1) : UINT64_MAX),
                                .length = (uint32_t)(next() % 8 ? (next() % 16) * BLOCK : edge(UINT32_MAX, 1)),
                                .access = (uint32_t)(next() % 8 ? 1 + next() % 2 : next() % 8)};
  struct convert_entry before = entry;
  uint64_t expected = model(&tables, &entry);
  uint64_t status = convert_one(&tables.channel, &entry);
  hits[status]++;
  if (status != expected) {
    fprintf(stderr, "status %llu, the model says %llu\n", (unsigned long long)status, (unsigned long long)expected);
    exit(1);
  }
  if (status != STATUS_OK)
    return;
  if (entry.device_offset != tables.endpoint.start + before.offset)
    exit(2);
  for (uint32_t i = 0; i < REGIONS; i++)
    if (entry.physical - regions[i].physical == before.address - descriptors[i].address &&
        entry.physical >= regions[i].physical && entry.physical + entry.length <= regions[i].physical + regions[i].size)
      return;
  exit(3);
}

int main(int count, char **words) {
  seed = count > 1 ? strtoull(words[1], NULL, 0) | 1 : 1;
  for (int i = 0; i < 2000000; i++)
    one();
  for (uint32_t status = 0; status < STATUS_COUNT; status++)
    if (hits[status])
      printf("status %u: %llu\n", status, (unsigned long long)hits[status]);
  return 0;
}
