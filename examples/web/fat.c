// SPDX-License-Identifier: Apache-2.0
// A cluster is given its data first, then its place in the table, then the directory learns of it: whatever a stop leaves
// undone, nothing on the volume names what is not there.
#include "fat.h"

#define RESERVED 1u
#define TABLES 2u
#define ROOT_ENTRIES 512u
#define ENTRY 32u
#define CLUSTER_SECTORS 4u
#define FEWEST_CLUSTERS 4085u /* fewer make a volume FAT12, more FAT32 */
#define MOST_CLUSTERS 65524u
#define LAST_OF_FILE 0xffffu
#define PER_SECTOR (FAT_SECTOR / 2)
#define FIRST_DAY 0x21u /* 1 January 1980: the partition knows no date */

static _Alignas(16) uint8_t sector[FAT_SECTOR];

static uint32_t get(const uint8_t *place, unsigned bytes) {
  uint32_t value = 0;
  while (bytes--)
    value = value << 8 | place[bytes];
  return value;
}

static void put(uint8_t *place, unsigned bytes, uint32_t value) {
  for (; bytes--; value >>= 8)
    *place++ = (uint8_t)value;
}

static bool load(const struct fat_file *file, uint32_t number) {
  return block_read(file->disk, (uint64_t)number * FAT_SECTOR, sector, FAT_SECTOR) == BLOCK_OK;
}

static bool store(const struct fat_file *file, uint32_t number) {
  return block_write(file->disk, (uint64_t)number * FAT_SECTOR, sector, FAT_SECTOR) == BLOCK_OK;
}

/* --- the volume --- */

/* Takes the boot record in `sector`. False: it describes no volume that we can write to. */
static bool take_boot_record(struct fat_file *file) {
  uint32_t total = get(sector + 19, 2) ? get(sector + 19, 2) : get(sector + 32, 4);
  file->cluster_sectors = sector[13];
  file->fat_sectors = get(sector + 22, 2);
  file->root_sectors = get(sector + 17, 2) * ENTRY / FAT_SECTOR;
  file->fat_start = get(sector + 14, 2);
  file->root_start = file->fat_start + TABLES * file->fat_sectors;
  file->data_start = file->root_start + file->root_sectors;
  if (sector[0] != 0xeb || get(sector + 510, 2) != 0xaa55 || get(sector + 11, 2) != FAT_SECTOR ||
      sector[16] != TABLES || !file->cluster_sectors || !file->fat_start ||
      total > block_capacity(file->disk) / FAT_SECTOR || total < file->data_start)
    return false;
  file->clusters = (total - file->data_start) / file->cluster_sectors;
  return file->clusters >= FEWEST_CLUSTERS && file->clusters <= MOST_CLUSTERS &&
         file->clusters + 2 <= file->fat_sectors * PER_SECTOR;
}

static void make_boot_record(uint32_t total) {
  uint32_t clusters = total / CLUSTER_SECTORS;
  memset(sector, 0, sizeof sector);
  memcpy(sector, "\xeb\x3c\x90PARCLOSE", 11);
  put(sector + 11, 2, FAT_SECTOR);
  sector[13] = CLUSTER_SECTORS;
  put(sector + 14, 2, RESERVED);
  sector[16] = TABLES;
  put(sector + 17, 2, ROOT_ENTRIES);
  put(sector + 19, 2, total < 0x10000 ? total : 0);
  sector[21] = 0xf8; /* a fixed disk */
  put(sector + 22, 2, (clusters + 2 + PER_SECTOR - 1) / PER_SECTOR);
  put(sector + 24, 2, 32); /* sectors of a track, and heads: some readers want them not to be 0 */
  put(sector + 26, 2, 64);
  put(sector + 32, 4, total < 0x10000 ? 0 : total);
  sector[36] = 0x80;
  sector[38] = 0x29; /* what follows is there: number, label, kind */
  put(sector + 39, 4, 0x50415243);
  memcpy(sector + 43, "NO NAME    FAT16   ", 19);
  put(sector + 510, 2, 0xaa55);
}

/* The boot record comes last: a volume that was not finished is begun anew. */
static bool make_volume(struct fat_file *file) {
  static uint8_t boot[FAT_SECTOR];
  uint64_t total = block_capacity(file->disk) / FAT_SECTOR;
  uint64_t most = MOST_CLUSTERS * CLUSTER_SECTORS;
  make_boot_record((uint32_t)(total < most ? total : most));
  if (!take_boot_record(file))
    return false; /* too small */
  memcpy(boot, sector, sizeof boot);
  for (uint32_t i = file->fat_start; i < file->data_start; i++) {
    memset(sector, 0, sizeof sector);
    if (i == file->fat_start || i == file->fat_start + file->fat_sectors)
      put(sector, 4, 0xfffffff8); /* entries 0 and 1 belong to no cluster */
    if (!store(file, i))
      return false;
  }
  memcpy(sector, boot, sizeof boot);
  return block_flush(file->disk) == BLOCK_OK && store(file, 0) && block_flush(file->disk) == BLOCK_OK;
}

static bool find_volume(struct fat_file *file) {
  static const uint8_t nothing[FAT_SECTOR];
  if (!load(file, 0))
    return false;
  return memcmp(sector, nothing, FAT_SECTOR) == 0 ? make_volume(file) : take_boot_record(file);
}

/* --- the table --- */

static bool table_get(const struct fat_file *file, uint32_t cluster, uint32_t *next) {
  if (!load(file, file->fat_start + cluster / PER_SECTOR))
    return false;
  *next = get(sector + cluster % PER_SECTOR * 2, 2);
  return true;
}

static bool table_put(const struct fat_file *file, uint32_t cluster, uint32_t next) {
  uint32_t place = file->fat_start + cluster / PER_SECTOR;
  if (!load(file, place))
    return false;
  put(sector + cluster % PER_SECTOR * 2, 2, next);
  return store(file, place) && store(file, place + file->fat_sectors);
}

/* A free cluster, looked for behind the file's last; 0: none. */
static uint32_t free_cluster(const struct fat_file *file) {
  uint32_t next, start = file->last ? file->last - 1 : 0;
  for (uint32_t i = 0; i < file->clusters; i++) {
    uint32_t cluster = 2 + (start + i) % file->clusters;
    if (!table_get(file, cluster, &next))
      return 0;
    if (next == 0)
      return cluster;
  }
  return 0;
}

static uint32_t cluster_bytes(const struct fat_file *file) {
  return file->cluster_sectors * FAT_SECTOR;
}

/* Follows the file's clusters as far as its size says. False: they end earlier, or lead out of the volume. */
static bool find_last(struct fat_file *file) {
  uint32_t wanted = (file->size + cluster_bytes(file) - 1) / cluster_bytes(file);
  uint32_t cluster = file->first;
  for (uint32_t i = 0; i < wanted; i++) {
    if (cluster < 2 || cluster >= file->clusters + 2)
      return false;
    file->last = cluster;
    if (!table_get(file, cluster, &cluster))
      return false;
  }
  return true;
}

/* --- the directory --- */

static bool put_entry(const struct fat_file *file, const char *name) {
  if (!load(file, file->entry_sector))
    return false;
  uint8_t *entry = sector + file->entry_offset;
  if (name) {
    memset(entry, 0, ENTRY);
    memcpy(entry, name, 11);
    entry[11] = 0x20; /* changed since the last backup */
    put(entry + 24, 2, FIRST_DAY);
  }
  put(entry + 26, 2, file->first);
  put(entry + 28, 4, file->size);
  return store(file, file->entry_sector) && block_flush(file->disk) == BLOCK_OK;
}

/* Whether the entry is the file's; a free one is kept in mind until then. */
static bool look_at(struct fat_file *file, uint32_t place, uint32_t offset, const char *name) {
  const uint8_t *entry = sector + offset;
  bool found = memcmp(entry, name, 11) == 0 && !(entry[11] & 0x18); /* neither a label nor a folder */
  bool usable = (entry[0] == 0 || entry[0] == 0xe5) && file->entry_sector == 0;
  if (found || usable) {
    file->entry_sector = place;
    file->entry_offset = offset;
  }
  if (found) {
    file->first = get(entry + 26, 2);
    file->size = get(entry + 28, 4);
  }
  return found;
}

static bool find_entry(struct fat_file *file, const char *name) {
  for (uint32_t i = 0; i < file->root_sectors; i++) {
    if (!load(file, file->root_start + i))
      return false;
    for (uint32_t offset = 0; offset < FAT_SECTOR; offset += ENTRY)
      if (look_at(file, file->root_start + i, offset, name))
        return find_last(file);
  }
  return file->entry_sector != 0 && put_entry(file, name);
}

bool fat_open(struct fat_file *file, struct block *disk, const char *name) {
  memset(file, 0, sizeof *file);
  file->disk = disk;
  return find_volume(file) && find_entry(file, name);
}

/* --- the file --- */

/* The piece of `text` that fits the sector at the end of the file, in a cluster that nobody else has. */
static bool write_piece(const struct fat_file *file, uint32_t cluster, const void *text, uint32_t size) {
  uint32_t inside = file->size % cluster_bytes(file), offset = inside % FAT_SECTOR;
  uint32_t place = file->data_start + (cluster - 2) * file->cluster_sectors + inside / FAT_SECTOR;
  memset(sector, 0, sizeof sector);
  if (offset && !load(file, place))
    return false;
  memcpy(sector + offset, text, size);
  return store(file, place);
}

static bool append_piece(struct fat_file *file, const void *text, uint32_t size) {
  bool full = file->size % cluster_bytes(file) == 0;
  uint32_t cluster = full ? free_cluster(file) : file->last;
  if (!cluster || !write_piece(file, cluster, text, size))
    return false;
  if (full) {
    if (!table_put(file, cluster, LAST_OF_FILE) || (file->last && !table_put(file, file->last, cluster)))
      return false;
    file->first = file->first ? file->first : cluster;
    file->last = cluster;
  }
  file->size += size;
  return true;
}

static bool append_all(struct fat_file *file, const uint8_t *bytes, size_t size) {
  while (size > 0) {
    uint32_t room = FAT_SECTOR - file->size % FAT_SECTOR;
    uint32_t piece = size < room ? (uint32_t)size : room;
    if (!append_piece(file, bytes, piece))
      return false;
    bytes += piece;
    size -= piece;
  }
  return block_flush(file->disk) == BLOCK_OK && put_entry(file, NULL);
}

bool fat_append(struct fat_file *file, const void *text, size_t size) {
  struct fat_file before = *file;
  if (size <= UINT32_MAX - file->size && append_all(file, text, size))
    return true;
  *file = before; /* half a text is none */
  return false;
}
