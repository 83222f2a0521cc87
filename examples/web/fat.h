/* SPDX-License-Identifier: Apache-2.0
 *
 * One growing file in the root of a FAT16 volume (ECMA-107, with the boot record
 * as it is used today), so that any machine can read afterwards what a guest wrote.
 */
#ifndef FAT_H
#define FAT_H

#include "parclose.h"

#define FAT_SECTOR 512u

struct fat_file {
  struct block *disk;
  uint32_t cluster_sectors, fat_sectors, root_sectors, clusters;
  uint32_t fat_start, root_start, data_start; /* sectors */
  uint32_t entry_sector, entry_offset;        /* of the directory entry */
  uint32_t first, last;                       /* clusters of the file; 0: it has none yet */
  uint32_t size;                              /* bytes */
};

/* Opens the file of this name (8 and 3 letters, padded with spaces), or makes it. A volume is made where the disk begins
   with a sector of zeros. False: something else stands there, it is damaged, or the disk failed. */
bool fat_open(struct fat_file *file, struct block *disk, const char *name);

/* False: full, or the disk failed. Once it returns the text is on the disk; whoever is stopped earlier leaves a volume
   with the file as it was before, and at the worst clusters that belong to no file or lie behind its end. */
bool fat_append(struct fat_file *file, const void *text, size_t size);

#endif
