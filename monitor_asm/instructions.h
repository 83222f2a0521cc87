/* SPDX-License-Identifier: Apache-2.0
 *
 * One inline function for each privileged or special instruction that ring 0 uses.
 */
#ifndef MONITOR_INSTRUCTIONS_H
#define MONITOR_INSTRUCTIONS_H

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint32_t in32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint64_t read_tsc(void) {
  uint64_t low, high; /* the instruction clears the upper halves */
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t read_msr(uint32_t msr) {
  uint32_t low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (uint64_t)high << 32 | low;
}

/* CPUID: output[0] to output[3] are EAX, EBX, ECX, EDX. */
static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t output[4]) {
  __asm__ volatile("cpuid"
                   : "=a"(output[0]), "=b"(output[1]), "=c"(output[2]), "=d"(output[3])
                   : "a"(leaf), "c"(subleaf));
}

static inline void write_cr0(uint64_t value) {
  __asm__ volatile("movq %0, %%cr0" : : "r"(value) : "memory");
}

static inline void write_cr3(uint64_t value) {
  __asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline void write_cr4(uint64_t value) {
  __asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

static inline uint64_t read_cr2(void) {
  uint64_t value;
  __asm__ volatile("movq %%cr2, %0" : "=r"(value));
  return value;
}

static inline void write_cr2(uint64_t value) {
  __asm__ volatile("movq %0, %%cr2" : : "r"(value));
}

static inline void write_dr7(uint64_t value) {
  __asm__ volatile("movq %0, %%dr7" : : "r"(value));
}

static inline void write_xcr0(uint64_t value) {
  __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* Bit `index` of a bit string of any length (SDM 2A, BTS: a register offset reaches beyond the operand). */
static inline void set_bit(volatile void *bits, uint64_t index) {
  __asm__ volatile("lock btsq %1, %0" : "+m"(*(volatile uint64_t *)bits) : "r"(index) : "cc", "memory");
}

/* All components that XCR0 enables. The plain form: no tracking of where the state was restored from (see design, "mapped, not copied"). */
static inline void xsave(void *area, uint32_t components) {
  __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(components), "d"(components) : "memory");
}

static inline void xrstor(const void *area, uint32_t components) {
  __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(components), "d"(components) : "memory");
}

static inline uint64_t read_fs_base(void) {
  uint64_t value;
  __asm__ volatile("rdfsbase %0" : "=r"(value));
  return value;
}

static inline uint64_t read_gs_base(void) {
  uint64_t value;
  __asm__ volatile("rdgsbase %0" : "=r"(value));
  return value;
}

static inline void write_fs_base(uint64_t value) {
  __asm__ volatile("wrfsbase %0" : : "r"(value));
}

static inline void write_gs_base(uint64_t value) {
  __asm__ volatile("wrgsbase %0" : : "r"(value));
}

/* The data segment selectors a partition may have loaded, or-ed together: zero in ordinary 64-bit code. */
static inline uint32_t data_selectors(void) {
  uint32_t ds, es, fs, gs;
  __asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
                   : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
  return ds | es | fs | gs;
}

static inline void clear_data_selectors(void) {
  __asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; movl %0, %%gs" : : "r"(0));
}

struct table_pointer {
  uint16_t limit;
  uint64_t base;
} __attribute__((packed));

static inline void load_gdt(const struct table_pointer *table) {
  __asm__ volatile("lgdt %0" : : "m"(*table));
}

static inline void load_idt(const struct table_pointer *table) {
  __asm__ volatile("lidt %0" : : "m"(*table));
}

static inline void load_task_register(uint16_t selector) {
  __asm__ volatile("ltr %0" : : "r"(selector));
}

static inline void load_local_table(uint16_t selector) {
  __asm__ volatile("lldt %0" : : "r"(selector));
}

/* Interrupts on and wait for one. It does not come back here: the entry path takes a fresh stack. */
_Noreturn static inline void wait_for_interrupt(void) {
  for (;;)
    __asm__ volatile("sti; hlt");
}

_Noreturn static inline void halt_for_ever(void) {
  for (;;)
    __asm__ volatile("cli; hlt");
}

#endif
