/* SPDX-License-Identifier: Apache-2.0
 *
 * web_fat VOLUME WRITES FIRST COUNT SIZE: the FAT file of examples/web on a file of the host. Appends COUNT texts of SIZE
 * bytes, the letter of each its number from FIRST, and prints how many were taken. After WRITES sectors nothing more
 * reaches the volume, as when a machine loses its power.
 */
#include "fat.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int volume;
static long writes_left;

uint64_t block_capacity(const struct block *block) {
  struct stat status;
  (void)block;
  return fstat(volume, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static bool inside(uint64_t offset, const void *buffer, size_t size) {
  return size % 512 == 0 && offset % 512 == 0 && offset + size <= block_capacity(NULL) && (uintptr_t)buffer % 4 == 0;
}

enum block_result block_read(struct block *block, uint64_t offset, void *buffer, size_t size) {
  (void)block;
  if (!inside(offset, buffer, size))
    return BLOCK_INVALID;
  return pread(volume, buffer, size, (off_t)offset) == (ssize_t)size ? BLOCK_OK : BLOCK_ERROR;
}

enum block_result block_write(struct block *block, uint64_t offset, const void *buffer, size_t size) {
  (void)block;
  if (!inside(offset, buffer, size))
    return BLOCK_INVALID;
  if (writes_left-- <= 0)
    return BLOCK_ERROR;
  return pwrite(volume, buffer, size, (off_t)offset) == (ssize_t)size ? BLOCK_OK : BLOCK_ERROR;
}

enum block_result block_flush(struct block *block) {
  (void)block;
  return writes_left < 0 ? BLOCK_ERROR : BLOCK_OK;
}

int main(int count, char **word) {
  static struct block disk;
  static struct fat_file file;
  if (count != 6 || (volume = open(word[1], O_RDWR)) < 0)
    return 2;
  writes_left = atol(word[2]);
  int first = atoi(word[3]), wanted = atoi(word[4]), taken = 0;
  size_t size = (size_t)atol(word[5]);
  char *text = malloc(size);
  bool opened = fat_open(&file, &disk, "LOG     TXT");
  while (opened && taken < wanted) {
    memset(text, 'a' + (first + taken) % 26, size);
    if (!fat_append(&file, text, size))
      break;
    taken++;
  }
  free(text);
  printf("%s %d %u\n", opened ? "open" : "shut", taken, file.size);
  return 0;
}
