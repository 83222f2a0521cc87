/* SPDX-License-Identifier: Apache-2.0
 *
 * Interrupt controllers, and what happens at an interrupt: its source is masked when it is taken and unmasked when its
 * owner acknowledges it, so a device interrupts other partitions' frames once, shortly, for each acknowledgement.
 */
#include "event.h"
#include "instructions.h"
#include "monitor.h"

/* Called by entry.S. */
void interrupt_device(void);
void interrupt_timer(void);
void interrupt_idle(uint32_t vector);

#define PIC_MASTER_DATA 0x21
#define PIC_SLAVE_DATA 0xa1

/* The register `index`, until the next is selected. */
static volatile uint32_t *io_apic(uint32_t index) {
  *(volatile uint32_t *)(IO_APIC_ADDRESS + IO_APIC_SELECT) = index;
  return (volatile uint32_t *)(IO_APIC_ADDRESS + IO_APIC_WINDOW);
}

static void mask_controllers(void) {
  out8(PIC_MASTER_DATA, 0xff);
  out8(PIC_SLAVE_DATA, 0xff);
  uint32_t inputs = (*io_apic(IO_APIC_VERSION) >> 16 & 0xff) + 1;
  for (uint32_t input = 0; input < inputs; input++)
    *io_apic(IO_APIC_REDIRECTION + 2 * input) = IO_APIC_MASKED;
}

static void local_apic(void) {
  uint64_t base = read_msr(MSR_APIC_BASE);
  if ((base & APIC_BASE_EXTENDED) != 0) /* the only way out of x2APIC is through off (SDM 3A 11.12.5) */
    write_msr(MSR_APIC_BASE, base & ~(uint64_t)(APIC_BASE_EXTENDED | APIC_BASE_ENABLE));
  write_msr(MSR_APIC_BASE, (base & ~(uint64_t)APIC_BASE_EXTENDED) | APIC_BASE_ENABLE);
  for (uint32_t entry = APIC_LVT_THERMAL; entry <= APIC_LVT_ERROR; entry += 0x10)
    *apic(entry) = APIC_LVT_MASKED;
  *apic(APIC_TPR) = 0;
  *apic(APIC_SVR) = APIC_SVR_ENABLE | VECTOR_SPURIOUS;
}

static uint32_t vector_of(const struct interrupt_row *row) {
  return VECTOR_DEVICE_FIRST + (uint32_t)(row - TABLE(interrupts, interrupt_row));
}

static volatile uint32_t *msix_entry(const struct interrupt_row *row) {
  return (volatile uint32_t *)(device_row(row->device)->msix_table + 16ull * row->number);
}

static uint32_t message_address(void) {
  return MSI_ADDRESS | *apic(APIC_ID) >> 24 << 12;
}

/* A message is routed with its mask. */
static void route(const struct interrupt_row *row) {
  if (row->kind == INTERRUPT_ISA)
    *io_apic(IO_APIC_REDIRECTION + 2 * row->number + 1) = *apic(APIC_ID);
  if (row->kind != INTERRUPT_MSIX)
    return;
  volatile uint32_t *entry = msix_entry(row);
  entry[0] = message_address();
  entry[1] = 0;
  entry[2] = vector_of(row);
}

void interrupt_set_mask(const struct interrupt_row *row, bool masked) {
  if (row->kind == INTERRUPT_ISA) /* edge, active high, fixed delivery: all zero */
    *io_apic(IO_APIC_REDIRECTION + 2 * row->number) = vector_of(row) | (masked ? IO_APIC_MASKED : 0);
  else if (row->kind == INTERRUPT_MSI)
    pci_msi(row, message_address(), vector_of(row), masked);
  else
    msix_entry(row)[3] = masked;
}

/* All sources masked, each routed to its vector; owners unmask them by their first acknowledgement. */
void interrupt_initialise(void) {
  mask_controllers();
  local_apic();
  for (uint32_t i = 0; i < DATABASE->interrupts.count; i++) {
    interrupt_set_mask(interrupt_row(i), true);
    route(interrupt_row(i));
  }
}

/* Any vector without a row has no source that we opened; the spurious one is not ended (SDM 3A 11.9). */
static void take(uint32_t vector) {
  uint32_t index = vector - VECTOR_DEVICE_FIRST;
  if (index < DATABASE->interrupts.count) {
    const struct interrupt_row *row = interrupt_row(index);
    interrupt_set_mask(row, true);
    event_set(&partitions[row->partition], row->event);
  }
  if (vector != VECTOR_SPURIOUS)
    *apic(APIC_EOI) = 0;
}

void interrupt_device(void) {
  take((uint32_t)CONTEXT->frame.vector);
  schedule_woken();
}

void interrupt_timer(void) {
  *apic(APIC_EOI) = 0;
  schedule();
}

/* Of either kind, while nobody was ready. */
void interrupt_idle(uint32_t vector) {
  CPU->idle = 0;
  take(vector);
  schedule();
}
