/* SPDX-License-Identifier: Apache-2.0
 *
 * What the loader says of the machine's memory, whichever loader it was: PVH (QEMU's -kernel) or multiboot2 (GRUB, on
 * BIOS and UEFI). Nothing below knows which.
 */
#include "loader.h"
#include "monitor.h"

/* Xen public/arch-x86/hvm/start_info.h, version 1. */
struct pvh_start_info {
  uint32_t magic, version, flags, module_count;
  uint64_t modules, command_line, rsdp;
  uint64_t memory_map;
  uint32_t memory_map_entries;
  uint32_t reserved;
};

#define PVH_MAGIC 0x336ec578

/* Multiboot2 Specification 2.0, 3.4: tags follow, each at a multiple of 8. */
struct multiboot2_info {
  uint32_t size, reserved;
};

struct multiboot2_tag {
  uint32_t type, size;
};

struct multiboot2_memory {
  struct multiboot2_tag tag;
  uint32_t entry_size, entry_version;
  struct memory_entry entry[];
};

#define MULTIBOOT2_MOST 0x100000u /* bytes of tags; GRUB's are a few thousand */

static struct memory_map pvh_memory(const struct pvh_start_info *info) {
  ASSERT(info->magic == PVH_MAGIC && info->version >= 1 && info->memory_map < BOOT_MAPPED - PAGE_SIZE);
  return (struct memory_map){(const struct memory_entry *)info->memory_map, info->memory_map_entries};
}

static struct memory_map multiboot2_memory(const struct multiboot2_info *info) {
  ASSERT(info->size <= MULTIBOOT2_MOST);
  uint32_t offset = sizeof *info;
  while (offset + sizeof(struct multiboot2_memory) <= info->size) {
    const struct multiboot2_memory *memory = (const void *)((const char *)info + offset);
    ASSERT(memory->tag.size >= sizeof memory->tag && memory->tag.size <= info->size - offset);
    if (memory->tag.type == MULTIBOOT2_SAYS_MEMORY) {
      ASSERT(memory->tag.size >= sizeof *memory && memory->entry_size == sizeof memory->entry[0]);
      return (struct memory_map){memory->entry, (memory->tag.size - sizeof *memory) / sizeof memory->entry[0]};
    }
    offset += (memory->tag.size + 7) & ~7u;
  }
  panic("the boot loader says nothing of memory", NULL);
}

struct memory_map loader_memory(uint64_t info, uint32_t magic) {
  ASSERT(info < BOOT_MAPPED - MULTIBOOT2_MOST);
  if (magic == MULTIBOOT2_LOADER_MAGIC)
    return multiboot2_memory((const struct multiboot2_info *)info);
  return pvh_memory((const struct pvh_start_info *)info);
}
