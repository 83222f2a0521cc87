/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of partition tables: honest ones of every shape, broken ones, and
 * ones whose checksums are right and whose numbers are not.
 */
#include "gpt.h"
#include "limits.h"
#include "runtime_check.h"

#include <stddef.h>

#define DISK (4u << 20)

static uint8_t disk[DISK], buffer[GPT_BUFFER];
static uint32_t reads, fail_at;

struct table {
  uint32_t block, entry_size, entries;
  uint64_t first_usable, last_usable;
};

static struct table table;

static bool read(void *context, uint64_t offset, uint8_t *into, uint32_t length) {
  (void)context;
  CHECK(into == buffer && length != 0 && length <= GPT_BUFFER && length % table.block == 0);
  CHECK(offset % table.block == 0 && offset <= DISK && length <= DISK - offset);
  if (++reads == fail_at)
    return false;
  memcpy(into, disk + offset, length);
  return true;
}

static enum gpt_result find(const char *name, struct gpt_found *found) {
  struct gpt_disk view = {.read = read, .buffer = buffer, .size = DISK, .block_size = table.block};
  reads = 0;
  enum gpt_result result = gpt_find(&view, name, found);
  CHECK(reads <= 2 * (1 + 2 * 256));
  return result;
}

/* --- making tables: numbers are put where UEFI 2.10, tables 5.5 and 5.6, have them --- */

static void put(uint8_t *place, uint64_t value, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++)
    place[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t crc(const uint8_t *bytes, size_t length) {
  uint32_t value = UINT32_MAX;
  for (size_t i = 0; i < length; i++) {
    value ^= bytes[i];
    for (int bit = 0; bit < 8; bit++)
      value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
  }
  return ~value;
}

static uint64_t blocks(void) {
  return DISK / table.block;
}

static uint64_t table_blocks(void) {
  return (table.entries * table.entry_size + table.block - 1) / table.block;
}

static uint8_t *header_at(bool backup) {
  return &disk[(backup ? blocks() - 1 : 1) * table.block];
}

static uint64_t table_at(bool backup) {
  return backup ? blocks() - 1 - table_blocks() : 2;
}

static uint8_t *entry_at(bool backup, uint32_t index) {
  return &disk[table_at(backup) * table.block + (uint64_t)index * table.entry_size];
}

static void seal(bool backup) {
  uint8_t *header = header_at(backup);
  put(header + 88, crc(entry_at(backup, 0), (size_t)table.entries * table.entry_size), 4);
  put(header + 16, 0, 4);
  put(header + 16, crc(header, 92), 4);
}

static void set_entry(uint32_t index, const char *name, uint64_t first, uint64_t last) {
  for (int backup = 0; backup < 2; backup++) {
    uint8_t *entry = entry_at(backup, index);
    memset(entry, 0, table.entry_size);
    memset(entry, 0xaf, 32);
    put(entry + 32, first, 8);
    put(entry + 40, last, 8);
    for (uint32_t i = 0; name[i]; i++)
      put(entry + 56 + 2 * i, (uint8_t)name[i], 2);
  }
}

static void seal_both(void) {
  seal(false);
  seal(true);
}

static void make(uint32_t block, uint32_t entry_size, uint32_t entries) {
  memset(disk, 0x5a, sizeof disk);
  table = (struct table){block, entry_size, entries, 0, 0};
  table.first_usable = 2 + table_blocks();
  table.last_usable = blocks() - 2 - table_blocks();
  for (int backup = 0; backup < 2; backup++) {
    uint8_t *header = header_at(backup);
    memset(header, 0, block);
    memcpy(header, "EFI PART", 8);
    put(header + 8, 0x10000, 4);
    put(header + 12, 92, 4);
    put(header + 24, backup ? blocks() - 1 : 1, 8);
    put(header + 32, backup ? 1 : blocks() - 1, 8);
    put(header + 40, table.first_usable, 8);
    put(header + 48, table.last_usable, 8);
    put(header + 72, table_at(backup), 8);
    put(header + 80, entries, 4);
    put(header + 84, entry_size, 4);
    memset(entry_at(backup, 0), 0, (size_t)entries * entry_size);
  }
  set_entry(entries - 1, "records", table.first_usable + 8, table.first_usable + 23);
  if (entries > 1)
    set_entry(0, "archive", table.first_usable, table.first_usable + 7);
  if (entries > 2)
    set_entry(1, "record", table.first_usable + 24, table.last_usable);
  seal_both();
}

/* --- tests --- */

static void expect_records(bool backup) {
  struct gpt_found found;
  CHECK(find("records", &found) == GPT_FOUND && found.backup == backup);
  CHECK(found.start == (table.first_usable + 8) * table.block && found.size == 16 * table.block);
}

static void shapes(void) {
  static const uint32_t SIZES[] = {128, 256, 512, 1024, 2048, 4096};
  static const uint32_t COUNTS[] = {1, 2, 4, 5, 128, 130};
  struct gpt_found found;
  for (uint32_t block = 512; block <= 4096; block *= 2) {
    for (uint32_t i = 0; i < 36; i++) {
      make(block, SIZES[i / 6], COUNTS[i % 6]);
      expect_records(false);
      CHECK(find("Records", &found) == GPT_NOT_THERE && find("recordss", &found) == GPT_NOT_THERE);
      CHECK(find("", &found) == GPT_NOT_THERE);
    }
  }
}

static void names(void) {
  struct gpt_found found;
  const char *longest = "abcdefghijklmnopqrstuvwxyz0123456789";
  CHECK(strlen(longest) == LIMIT_LABEL);
  make(512, 128, 128);
  set_entry(7, longest, table.first_usable + 24, table.first_usable + 24);
  set_entry(1, "other", table.first_usable + 25, table.last_usable);
  seal_both();
  CHECK(find(longest, &found) == GPT_FOUND && found.size == 512);
  put(entry_at(false, 127) + 56, 'r' | 0x100, 2); /* another letter, of which only half is an r */
  seal(false);
  CHECK(find("records", &found) == GPT_NOT_THERE);
}

static void broken(void) {
  struct gpt_found found;
  make(512, 128, 128);
  for (uint32_t i = 0; i < 92; i++) {
    header_at(false)[i] ^= 1u << random_below(8);
    expect_records(true);
    make(512, 128, 128);
  }
  entry_at(false, 5)[100] ^= 1; /* an unused entry counts in the checksum */
  expect_records(true);
  header_at(true)[40] ^= 1;
  CHECK(find("records", &found) == GPT_NO_TABLE);
  make(512, 128, 128);
  for (fail_at = 1; fail_at <= 2; fail_at++)
    expect_records(true);
  memset(header_at(true), 0, 512);
  for (fail_at = 1; fail_at <= 2; fail_at++)
    CHECK(find("records", &found) == GPT_UNREADABLE);
  fail_at = 0;
  memset(header_at(false), 0, 512);
  CHECK(find("records", &found) == GPT_NO_TABLE);
}

/* Checksums are right, numbers are not: the table counts as broken, or the partition is refused. */
static void lies(void) {
  static const struct {
    uint32_t at, bytes;
    uint64_t value;
  } LIES[] = {
      {24, 8, 2},          {40, 8, UINT64_MAX}, {48, 8, UINT64_MAX}, {48, 8, DISK / 512}, {72, 8, UINT64_MAX},
      {72, 8, DISK / 512}, {72, 8, 1000},       {80, 4, 0},          {80, 4, UINT32_MAX}, {80, 4, 1u << 20},
      {84, 4, 0},          {84, 4, 64},         {84, 4, 129},        {84, 4, 8192},       {84, 4, 1u << 31},
      {12, 4, 91},         {12, 4, 513},        {12, 4, UINT32_MAX}, {8, 4, 0x20000},     {40, 8, DISK / 512},
  };
  struct gpt_found found;
  for (uint32_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
    make(512, 128, 128);
    put(header_at(false) + LIES[i].at, LIES[i].value, LIES[i].bytes);
    put(header_at(false) + 16, 0, 4);
    put(header_at(false) + 16, crc(header_at(false), 92), 4);
    memset(header_at(true), 0, 512);
    CHECK(find("records", &found) == GPT_NO_TABLE);
  }
}

static enum gpt_result with(uint32_t index, const char *name, uint64_t first, uint64_t last) {
  struct gpt_found found;
  make(512, 128, 128);
  set_entry(index, name, first, last);
  seal_both();
  return find("records", &found);
}

static void overlaps(void) {
  make(512, 128, 128);
  uint64_t first = table.first_usable + 8, last = first + 15;
  CHECK(with(3, "records", 100, 100) == GPT_TWICE);
  CHECK(with(3, "x", last, last + 9) == GPT_OVERLAPS && with(3, "x", first - 9, first) == GPT_OVERLAPS);
  CHECK(with(3, "x", first + 3, first + 4) == GPT_OVERLAPS && with(3, "x", 0, UINT64_MAX) == GPT_OVERLAPS);
  CHECK(with(3, "x", last + 1, last + 9) == GPT_FOUND && with(3, "x", last, first) == GPT_OVERLAPS);
  CHECK(with(127, "records", 1, 100) == GPT_OVERLAPS && with(127, "records", 200, 199) == GPT_OVERLAPS);
  CHECK(with(127, "records", 4000, UINT64_MAX) == GPT_OVERLAPS);
  CHECK(with(127, "records", UINT64_MAX, UINT64_MAX) == GPT_OVERLAPS);
}

static bool usable(const struct gpt_found *found) {
  return found->size != 0 && found->size % table.block == 0 && found->start % table.block == 0 &&
         found->start <= DISK && found->size <= DISK - found->start;
}

/* Any change at all, with and without checksums that fit: only whole partitions of the disk are ever found. */
static void mutations(void) {
  uint32_t kept = 0, other = 0;
  make(512, 128, 16);
  static uint8_t good[DISK];
  memcpy(good, disk, DISK);
  for (uint32_t round = 0; round < 20000; round++) {
    struct gpt_found found;
    uint32_t from = random_below(2) ? 512 : DISK - 512 - 2048, size = 512 + 2048;
    for (uint32_t i = 1 + random_below(6); i; i--) {
      uint32_t place = random_below(3) ? 16 * random_below(size / 16) + 8 * random_below(2) : random_below(size);
      disk[from + place] = (uint8_t)(random_below(2) ? random_next() : random_below(3) - 1);
    }
    if (random_below(3))
      seal_both();
    if (find("records", &found) == GPT_FOUND) {
      CHECK(usable(&found));
      kept++;
    } else {
      other++;
    }
    memcpy(disk + 512, good + 512, 512 + 2048);
    memcpy(disk + DISK - 512 - 2048, good + DISK - 512 - 2048, 512 + 2048);
  }
  CHECK(kept > 300 && other > 300);
}

static void no_disks(void) {
  struct gpt_found found;
  struct gpt_disk view = {.read = read, .buffer = buffer, .size = DISK, .block_size = 512};
  static const uint32_t WRONG[] = {0, 1, 256, 513, 8192, 1u << 31};
  make(512, 128, 128);
  for (uint32_t i = 0; i < 6; i++) {
    view.block_size = WRONG[i];
    CHECK(gpt_find(&view, "records", &found) == GPT_NO_TABLE);
  }
  view.block_size = 512;
  for (view.size = 0; view.size < 3 * 512; view.size += 100)
    CHECK(gpt_find(&view, "records", &found) == GPT_NO_TABLE);
}

int main(void) {
  shapes();
  names();
  broken();
  lies();
  overlaps();
  mutations();
  no_disks();
  puts("ok");
  return 0;
}
