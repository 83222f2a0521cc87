/* SPDX-License-Identifier: Apache-2.0
 *
 * Privileged instructions. Where one succeeds it leaves the processor as it was.
 */
#include "privileged.h"

#define DEED(name, text)                                                                                               \
  static void name(void) {                                                                                             \
    __asm__ volatile(text : : : "rax", "rcx", "rdx", "memory", "cc");                                                  \
  }

static struct __attribute__((packed)) {
  uint16_t limit;
  uint64_t base;
} gdt = {7 * 8 - 1, LOCAL_CPU}, idt;

DEED(do_cli, "cli")
DEED(do_sti, "sti; cli")
DEED(do_clts, "clts")
DEED(do_lmsw, "mov $3, %%eax; lmsw %%ax")
DEED(do_read_cr0, "mov %%cr0, %%rax")
DEED(do_write_cr0, "mov $0x80010033, %%eax; mov %%rax, %%cr0")
DEED(do_read_cr2, "mov %%cr2, %%rax")
DEED(do_write_cr2, "xor %%eax, %%eax; mov %%rax, %%cr2")
DEED(do_read_cr3, "mov %%cr3, %%rax")
DEED(do_read_cr4, "mov %%cr4, %%rax")
DEED(do_read_cr8, "mov %%cr8, %%rax")
DEED(do_write_cr8, "xor %%eax, %%eax; mov %%rax, %%cr8")
DEED(do_read_dr7, "mov %%dr7, %%rax")
DEED(do_write_dr0, "xor %%eax, %%eax; mov %%rax, %%dr0")
DEED(do_write_dr7, "mov $0x400, %%eax; mov %%rax, %%dr7")
DEED(do_invd, "invd")
DEED(do_wbinvd, "wbinvd")
DEED(do_invlpg, "invlpg (%%rsp)")
DEED(do_lldt, "xor %%eax, %%eax; lldt %%ax")
DEED(do_swapgs, "swapgs; swapgs")
DEED(do_xsetbv, "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $7, %%eax; xsetbv")
DEED(do_sysret, "lea 1f(%%rip), %%rcx; pushfq; popq %%r11; sysretq; 1:")

static void do_write_cr3(void) {
  uint64_t root = 0;
  if (in_ring_0())
    __asm__ volatile("mov %%cr3, %0" : "=r"(root));
  __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

static void do_write_cr4(void) {
  uint64_t bits = 0x20;
  if (in_ring_0())
    __asm__ volatile("mov %%cr4, %0" : "=r"(bits));
  __asm__ volatile("mov %0, %%cr4" : : "r"(bits) : "memory");
}

static void do_lgdt(void) {
  __asm__ volatile("lgdt %0" : : "m"(gdt));
}

static void do_lidt(void) {
  if (in_ring_0())
    __asm__ volatile("sidt %0" : "=m"(idt));
  __asm__ volatile("lidt %0" : : "m"(idt));
}

/* LTR wants a task that is not busy. The selector is the sixth entry of the table. */
static void do_ltr(void) {
  if (in_ring_0())
    *(volatile uint64_t *)(LOCAL_CPU + 5 * 8) &= ~(1ull << 41);
  __asm__ volatile("ltr %w0" : : "r"(5 * 8));
}

static const struct deed deeds[] = {
    {"cli", do_cli},
    {"sti", do_sti},
    {"clts", do_clts},
    {"lmsw", do_lmsw},
    {"mov cr0, rax", do_read_cr0},
    {"mov rax, cr0", do_write_cr0},
    {"mov cr2, rax", do_read_cr2},
    {"mov rax, cr2", do_write_cr2},
    {"mov cr3, rax", do_read_cr3},
    {"mov rax, cr3", do_write_cr3},
    {"mov cr4, rax", do_read_cr4},
    {"mov rax, cr4", do_write_cr4},
    {"mov cr8, rax", do_read_cr8},
    {"mov rax, cr8", do_write_cr8},
    {"mov dr7, rax", do_read_dr7},
    {"mov rax, dr0", do_write_dr0},
    {"mov rax, dr7", do_write_dr7},
    {"invd", do_invd},
    {"wbinvd", do_wbinvd},
    {"invlpg", do_invlpg},
    {"lgdt", do_lgdt},
    {"lidt", do_lidt},
    {"lldt", do_lldt},
    {"ltr", do_ltr},
    {"swapgs", do_swapgs},
    {"sysret", do_sysret},
    {"xsetbv", do_xsetbv},
};

int main(void) {
  return do_all(deeds, sizeof deeds / sizeof deeds[0]);
}
