/* SPDX-License-Identifier: Apache-2.0
 *
 * Control registers, descriptor tables and the call instruction of one processor. What the design does not need stays off.
 */
#include "instructions.h"
#include "monitor.h"
#include "offsets.h"

_Static_assert(sizeof(struct frame) == FRAME_SIZE, "FRAME_SIZE");
_Static_assert(offsetof(struct frame, vector) == FRAME_VECTOR, "FRAME_VECTOR");
_Static_assert(offsetof(struct frame, rip) == FRAME_RIP, "FRAME_RIP");
_Static_assert(offsetof(struct frame, cs) == FRAME_CS, "FRAME_CS");
_Static_assert(offsetof(struct frame, rflags) == FRAME_RFLAGS, "FRAME_RFLAGS");
_Static_assert(offsetof(struct frame, rsp) == FRAME_RSP, "FRAME_RSP");
_Static_assert(offsetof(struct frame, registers.rdx) == FRAME_RDX, "FRAME_RDX");
_Static_assert(offsetof(struct context, frame) + FRAME_SIZE == PAGE_SIZE, "LOCAL_CONTEXT_TOP");
_Static_assert(offsetof(struct context, calls) == CONTEXT_CALLS, "CONTEXT_CALLS");
_Static_assert(offsetof(struct cpu, idle) == CPU_IDLE, "CPU_IDLE");
_Static_assert(CALL_SHORT == ENTRY_CALL_SHORT && CALL_COUNT == ENTRY_CALL_COUNT && STATUS_NO_CALL == ENTRY_NO_CALL,
               "entry.S");
_Static_assert(VECTOR_TIMER == VECTOR_TIMER_ENTRY, "VECTOR_TIMER_ENTRY");

/* SDM 3A 8.7: 104 bytes, then the I/O permission bitmap, which the partition's root maps there. */
struct task_state {
  uint32_t reserved0;
  uint64_t rsp[3];
  uint64_t reserved1;
  uint64_t ist[7];
  uint64_t reserved2;
  uint16_t reserved3;
  uint16_t io_bitmap;
} __attribute__((packed));

_Static_assert(sizeof(struct task_state) == TSS_SIZE, "TSS_SIZE");

#define IO_BITMAP_BYTES (0x10000 / 8 + 1) /* one bit a port, and a last byte of ones (SDM 1, 19.5.2) */

struct gate {
  uint16_t offset_low, selector;
  uint8_t stack, type;
  uint16_t offset_middle;
  uint32_t offset_high, reserved;
};

#define GATE_INTERRUPT 0x8e /* present, privilege 0: no INT n from ring 3 reaches a handler */

static struct gate idt[256];

#define TASK ((struct task_state *)LOCAL_TSS)

static bool leaf_7(uint32_t output, uint32_t bit) {
  uint32_t values[4];
  cpuid(7, 0, values);
  return values[output] >> bit & 1;
}

/* Before the manager's root is loaded: its entries use no-execute. */
void processor_protect(void) {
  uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
  if (leaf_7(1, 7))
    cr4 |= CR4_SMEP;
  if (leaf_7(1, 20))
    cr4 |= CR4_SMAP;
  if (leaf_7(2, 2))
    cr4 |= CR4_UMIP;
  write_msr(EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE); /* AMD: a write that changes LMA faults (APM 2, 3.1.7) */
  write_cr4(cr4);
  write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
  write_xcr0(DATABASE->xcr0);
  write_dr7(0x400); /* bit 10 is fixed: no breakpoint is on */
  uint32_t values[4];
  cpuid(0xd, 0, values);
  if (values[1] > XSAVE_ROOM)
    refuse("bytes of extended state", "XCR0", DATABASE->board, XSAVE_ROOM, values[1]);
}

static void tables_segments(void) {
  uint64_t base = LOCAL_TSS;
  uint64_t limit = TSS_SIZE + IO_BITMAP_BYTES - 1;
  CPU->gdt[SELECTOR_CODE / 8] = 0x00209b0000000000;
  CPU->gdt[SELECTOR_STACK / 8] = 0x0000930000000000;
  CPU->gdt[SELECTOR_USER_STACK / 8] = 0x0000f30000000000;
  CPU->gdt[SELECTOR_USER_CODE / 8] = 0x0020fb0000000000;
  CPU->gdt[SELECTOR_TSS / 8] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
  CPU->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
  struct table_pointer pointer = {sizeof CPU->gdt - 1, (uint64_t)CPU->gdt};
  load_gdt(&pointer);
}

static void tables_task(void) {
  *TASK = (struct task_state){.rsp = {LOCAL_CONTEXT_TOP},
                              .ist = {LOCAL_STACK_DF_TOP, LOCAL_STACK_NMI_TOP, LOCAL_STACK_MC_TOP, LOCAL_STACK_DB_TOP},
                              .io_bitmap = TSS_SIZE};
  load_task_register(SELECTOR_TSS);
  load_local_table(0);
}

static uint8_t stack_of(uint32_t vector) {
  switch (vector) {
  case VECTOR_DOUBLE_FAULT:
    return 1;
  case VECTOR_NMI:
    return 2;
  case VECTOR_MACHINE_CHECK:
    return 3;
  case VECTOR_DEBUG:
    return 4;
  default:
    return 0;
  }
}

static void tables_interrupts(void) {
  for (uint32_t vector = 0; vector < 256; vector++) {
    uint64_t stub = (uint64_t)vector_stubs + vector * VECTOR_STUB_SIZE;
    idt[vector] = (struct gate){.offset_low = (uint16_t)stub,
                                .selector = SELECTOR_CODE,
                                .stack = stack_of(vector),
                                .type = GATE_INTERRUPT,
                                .offset_middle = (uint16_t)(stub >> 16),
                                .offset_high = (uint32_t)(stub >> 32)};
  }
  struct table_pointer pointer = {sizeof idt - 1, (uint64_t)idt};
  load_idt(&pointer);
}

static void tables_call(void) {
  write_msr(MSR_STAR, (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_CODE << 32);
  write_msr(MSR_LSTAR, (uint64_t)call_entry);
  write_msr(MSR_CSTAR, 0);
  write_msr(MSR_SFMASK, RFLAGS_MASKED_ON_CALL);
  write_msr(MSR_SYSENTER_CS, 0); /* SYSENTER from ring 3: #GP */
  write_msr(MSR_KERNEL_GS_BASE, 0);
}

/* What firmware may have left on and a partition could see. */
static void tables_off(void) {
  uint32_t values[4];
  write_msr(MSR_PAT, PAT_RESET);
  cpuid(0x80000001, 0, values);
  if (values[3] >> 27 & 1)
    write_msr(MSR_TSC_AUX, 0);
  cpuid(0, 0, values);
  if (values[0] < 10)
    return;
  cpuid(10, 0, values);
  if ((values[0] & 0xff) >= 2)
    write_msr(MSR_PERF_GLOBAL_CTRL, 0);
}

void processor_tables(void) {
  tables_segments();
  tables_task();
  tables_interrupts();
  tables_call();
  tables_off();
}
