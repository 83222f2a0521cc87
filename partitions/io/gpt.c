/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt.h"
#include "limits.h"

#include <stddef.h>

#define SIGNATURE 0x5452415020494645ull /* "EFI PART" */
#define HEADER_LEAST 92u
#define ENTRY_LEAST 128u
#define ENTRY_MOST 4096u
#define TABLE_MOST 0x100000u /* bytes: eight thousand partitions of 128 bytes; reading takes a while */
#define CRC_AT 16u           /* of the header, which counts as 0 in its own checksum */

/* Table 5.5 */
struct header {
  uint64_t signature;
  uint32_t revision, size, crc, reserved;
  uint64_t here, other, first_usable, last_usable;
  uint8_t disk[16];
  uint64_t table;
  uint32_t entries, entry_size, table_crc;
};

/* Table 5.6: the same at the start of each, however large it is */
struct entry {
  uint64_t type[2], unique[2];
  uint64_t first, last;
  uint64_t attributes;
  uint16_t name[LIMIT_LABEL];
};

_Static_assert(offsetof(struct header, table_crc) + 4 == HEADER_LEAST, "as the specification has it");
_Static_assert(sizeof(struct entry) == ENTRY_LEAST, "as the specification has it");

/* What the looks at all entries gather. */
struct look {
  const char *name;
  uint64_t first, last; /* of what was found */
  uint32_t found;
  bool overlaps;
  bool second; /* the first has found it: do others share its blocks? */
};

static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    for (uint32_t bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return crc;
}

static bool read(const struct gpt_disk *disk, uint64_t offset, uint32_t length) {
  return disk->read(disk->context, offset, disk->buffer, length);
}

/* --- the header --- */

static bool places_are_right(const struct gpt_disk *disk, const struct header *header, uint64_t block) {
  uint64_t blocks = disk->size / disk->block_size;
  uint64_t bytes = (uint64_t)header->entries * header->entry_size;
  uint32_t size = header->entry_size;
  if (header->here != block || header->first_usable > header->last_usable || header->last_usable >= blocks)
    return false;
  if (size < ENTRY_LEAST || size > ENTRY_MOST || (size & (size - 1)) || bytes == 0 || bytes > TABLE_MOST)
    return false;
  uint64_t table = (bytes + disk->block_size - 1) / disk->block_size; /* blocks */
  if (header->table >= blocks || table > blocks - header->table)
    return false;
  return header->table > header->last_usable || header->table + table <= header->first_usable;
}

/* The header is in the buffer's first block; copied before the table is read over it. */
static enum gpt_result read_header(const struct gpt_disk *disk, uint64_t block, struct header *header) {
  if (!read(disk, block * disk->block_size, disk->block_size))
    return GPT_UNREADABLE;
  __builtin_memcpy(header, disk->buffer, HEADER_LEAST);
  if (header->signature != SIGNATURE || header->revision >> 16 != 1)
    return GPT_NO_TABLE;
  if (header->size < HEADER_LEAST || header->size > disk->block_size)
    return GPT_NO_TABLE;
  for (uint32_t i = 0; i < 4; i++)
    disk->buffer[CRC_AT + i] = 0;
  if (~crc_add(UINT32_MAX, disk->buffer, header->size) != header->crc)
    return GPT_NO_TABLE;
  return places_are_right(disk, header, block) ? GPT_FOUND : GPT_NO_TABLE;
}

/* --- entries --- */

static bool named(const struct entry *entry, const char *name) {
  for (uint32_t i = 0; i < LIMIT_LABEL; i++) {
    if (entry->name[i] != (uint8_t)*name)
      return false;
    if (!*name++)
      return true;
  }
  return *name == 0;
}

static void look_at(struct look *look, const struct entry *entry) {
  if (!(entry->type[0] | entry->type[1]))
    return;
  bool same = named(entry, look->name);
  if (look->second) {
    look->overlaps |= !same && entry->first <= look->last && look->first <= entry->last;
  } else if (same) {
    look->found++;
    look->first = entry->first;
    look->last = entry->last;
  }
}

/* An entry's first bytes never lie in two buffers: both are multiples of theirs. */
static enum gpt_result look_at_all(const struct gpt_disk *disk, const struct header *header, struct look *look) {
  uint64_t offset = header->table * disk->block_size;
  uint32_t left = header->entries * header->entry_size, crc = UINT32_MAX;
  for (uint32_t place = 0, next = 0; left;) {
    uint32_t part = left < GPT_BUFFER ? left : GPT_BUFFER, mask = disk->block_size - 1;
    if (!read(disk, offset + place, (part + mask) & ~mask))
      return GPT_UNREADABLE;
    crc = crc_add(crc, disk->buffer, part);
    for (; next < place + part; next += header->entry_size) {
      struct entry entry;
      __builtin_memcpy(&entry, &disk->buffer[next - place], sizeof entry);
      look_at(look, &entry);
    }
    place += part;
    left -= part;
  }
  return ~crc == header->table_crc ? GPT_FOUND : GPT_NO_TABLE;
}

/* --- one table, then the other --- */

static enum gpt_result find_by(const struct gpt_disk *disk, uint64_t block, const char *name, struct gpt_found *found) {
  struct header header;
  struct look look = {.name = name};
  enum gpt_result result = read_header(disk, block, &header);
  if (result == GPT_FOUND)
    result = look_at_all(disk, &header, &look);
  if (result != GPT_FOUND)
    return result;
  if (look.found != 1)
    return look.found ? GPT_TWICE : GPT_NOT_THERE;
  look.second = true;
  result = look_at_all(disk, &header, &look);
  if (result != GPT_FOUND)
    return result;
  found->start = look.first * disk->block_size;
  found->size = (look.last - look.first + 1) * disk->block_size;
  bool usable = look.first >= header.first_usable && look.last <= header.last_usable && look.first <= look.last;
  return usable && !look.overlaps ? GPT_FOUND : GPT_OVERLAPS;
}

enum gpt_result gpt_find(const struct gpt_disk *disk, const char *name, struct gpt_found *found) {
  uint32_t size = disk->block_size;
  *found = (struct gpt_found){0};
  if (size < 512 || size > GPT_BUFFER || (size & (size - 1)) || disk->size / size < 3)
    return GPT_NO_TABLE;
  enum gpt_result result = find_by(disk, 1, name, found);
  if (result != GPT_NO_TABLE && result != GPT_UNREADABLE)
    return result;
  enum gpt_result other = find_by(disk, disk->size / size - 1, name, found);
  found->backup = true;
  return other == GPT_NO_TABLE ? result : other;
}
