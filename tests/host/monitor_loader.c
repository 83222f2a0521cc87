/* SPDX-License-Identifier: Apache-2.0
 *
 * What the monitor reads out of the loader's information, on the host under sanitizers: good information of both kinds,
 * then multiboot2 information with random tags and bytes, in pages that end at a guard page. It must find the map that a
 * plain model finds, or give up; it must read nothing beyond the information.
 */
#define _GNU_SOURCE
#include "../../monitor_asm/loader.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROUNDS 200000
#define ROOM 8192u

static jmp_buf gave_up;
static uint64_t chance;

_Noreturn void panic(const char *why, const struct frame *frame) {
  (void)why, (void)frame;
  longjmp(gave_up, 1);
}

static uint32_t below(uint32_t bound) {
  chance = chance * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(chance >> 33) % bound;
}

static void require(bool holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "%s\n", what);
    exit(1);
  }
}

/* The monitor reads what is below 4 GiB only. */
static char *pages(void) {
  char *made = mmap(NULL, ROOM + PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  require(made != MAP_FAILED && mprotect(made + ROOM, PAGE_SIZE, PROT_NONE) == 0, "no memory below 4 GiB");
  return made;
}

static bool answers(uint64_t info, uint32_t magic, struct memory_map *map) {
  if (setjmp(gave_up))
    return false;
  *map = loader_memory(info, magic);
  return true;
}

static void test_pvh(char *place) {
  struct pvh_start_info *info = (struct pvh_start_info *)place;
  struct memory_map map;
  *info = (struct pvh_start_info){.magic = PVH_MAGIC, .version = 1, .memory_map = 0x5000, .memory_map_entries = 7};
  require(answers((uint64_t)info, 0, &map) && (uint64_t)map.entry == 0x5000 && map.count == 7, "PVH is not understood");
  require(!answers((uint64_t)info, MULTIBOOT2_LOADER_MAGIC, &map), "PVH taken for multiboot2");
  info->magic ^= 1;
  require(!answers((uint64_t)info, 0, &map), "another magic number taken for PVH");
  require(!answers(BOOT_MAPPED, 0, &map), "information out of reach was read");
}

/* Tags of random types and lengths, one in four a memory map, some of their words overwritten. */
static void fill(char *info, uint32_t size) {
  uint32_t offset = 8;
  memset(info, 0, size);
  *(struct multiboot2_info *)info = (struct multiboot2_info){size, 0};
  while (offset + sizeof(struct multiboot2_memory) <= size) {
    struct multiboot2_memory *tag = (struct multiboot2_memory *)(info + offset);
    uint32_t length = 16 + below(120);
    *tag = (struct multiboot2_memory){.tag = {below(8), length}, .entry_size = below(8) ? 24 : below(64)};
    offset += (length + 7) & ~7u;
  }
  for (uint32_t count = below(3); size >= 16 && count != 0; count--)
    ((uint32_t *)info)[2 + below(size / 4 - 2)] = below(3) ? below(200) : 0xffffffffu - below(16);
}

/* Byte by byte, as the specification tells it. Returns -1 for what is to be given up. */
static int64_t model(const char *info, uint32_t size, uint32_t *offset) {
  for (*offset = 8; (uint64_t)*offset + 16 <= size;) {
    uint32_t word[4];
    memcpy(word, info + *offset, sizeof word);
    if (word[1] < 8 || (uint64_t)*offset + word[1] > size)
      return -1;
    if (word[0] == 6)
      return word[1] < 16 || word[2] != 24 ? -1 : (int64_t)(word[1] - 16) / 24;
    *offset += (word[1] + 7) / 8 * 8;
  }
  return -1;
}

static void test_multiboot2(char *place) {
  uint32_t found = 0, refused = 0;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint32_t size = 8 + 8 * below(60), offset;
    char *info = place + ROOM - size;
    struct memory_map map;
    fill(info, size);
    int64_t expected = model(info, size, &offset);
    bool answered = answers((uint64_t)info, MULTIBOOT2_LOADER_MAGIC, &map);
    require(answered == (expected >= 0), "given up wrongly, or not");
    if (answered)
      require(map.count == expected && (const char *)map.entry == info + offset + 16, "another map");
    found += answered, refused += !answered;
  }
  printf("found: %u\nrefused: %u\n", found, refused);
}

int main(int count, char **arguments) {
  require(count == 2, "usage: monitor_loader SEED");
  chance = strtoull(arguments[1], NULL, 0);
  char *place = pages();
  test_pvh(place);
  test_multiboot2(place);
  return 0;
}
