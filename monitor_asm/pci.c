/* SPDX-License-Identifier: Apache-2.0
 *
 * PCI configuration space: no partition reaches it. Devices of the layout get their registers where the plan put them;
 * all others are left with memory, I/O and bus mastering off.
 * Source: PCI Local Bus Specification 3.0, 6.1, 6.2.5 (BARs), 6.8.1 (MSI), 6.8.2 (MSI-X).
 */
#include "instructions.h"
#include "monitor.h"

#define CONFIG_ADDRESS_PORT 0xcf8
#define CONFIG_DATA_PORT 0xcfc
#define CONFIG_ENABLE 0x80000000u

#define PCI_IDENTITY 0x00
#define PCI_COMMAND 0x04         /* status in the high half: write zeroes there, they clear nothing */
#define PCI_COMMAND_DECODE 0x003 /* ports and memory */
#define PCI_COMMAND_BUS_MASTER 0x004
#define PCI_COMMAND_NO_INTX 0x400
#define PCI_CLASS 0x08
#define PCI_HEADER_TYPE 0x0c /* byte 2 */
#define PCI_BAR 0x10
#define PCI_BUSES 0x18 /* bridge: secondary bus in byte 1 */
#define PCI_CAPABILITIES 0x34
#define PCI_CAPABILITY_MSI 0x05
#define PCI_CAPABILITY_MSIX 0x11
#define MSI_ENABLE 0x00010000u
#define MSI_MESSAGES 0x00700000u /* log2 of how many it may send: none but the first */
#define MSI_64 0x00800000u
#define MSIX_LAST_ENTRY 0x7ff
#define MSIX_ENABLE 0x80000000u
#define MSIX_FUNCTION_MASK 0x40000000u

#define CLASS_BRIDGE 0x06
#define SUBCLASS_PCI_BRIDGE 0x0604

uint32_t pci_read(uint32_t function, uint32_t offset) {
  out32(CONFIG_ADDRESS_PORT, CONFIG_ENABLE | function << 8 | offset);
  return in32(CONFIG_DATA_PORT);
}

static void pci_write(uint32_t function, uint32_t offset, uint32_t value) {
  out32(CONFIG_ADDRESS_PORT, CONFIG_ENABLE | function << 8 | offset);
  out32(CONFIG_DATA_PORT, value);
}

static bool has_msi(uint32_t control) {
  return (control & 0xff) == PCI_CAPABILITY_MSI;
}

static void check_device(const struct device_row *device) {
  uint32_t identity = pci_read(device->address, PCI_IDENTITY);
  if (identity != device->identity)
    refuse("identity of device", device->name, device->source, device->identity, identity);
  uint32_t class_code = pci_read(device->address, PCI_CLASS) >> 8;
  if (class_code != device->class_code)
    refuse("class of device", device->name, device->source, device->class_code, class_code);
  if (device->interrupt_count == 0 || interrupt_row(device->first_interrupt)->kind != INTERRUPT_MSI)
    return;
  uint32_t control = pci_read(device->address, interrupt_row(device->first_interrupt)->number);
  if (!has_msi(control))
    refuse("MSI capability of", device->name, device->source, PCI_CAPABILITY_MSI, control & 0xff);
}

/* Reads only. */
void pci_check(void) {
  for (uint32_t i = 0; i < DATABASE->devices.count; i++)
    if (device_row(i)->bus == BUS_PCI)
      check_device(device_row(i));
}

static bool is_planned(uint32_t function) {
  for (uint32_t i = 0; i < DATABASE->devices.count; i++)
    if (device_row(i)->bus == BUS_PCI && device_row(i)->address == function)
      return true;
  return false;
}

static void quiet_function(uint32_t function) {
  pci_write(function, PCI_COMMAND, PCI_COMMAND_NO_INTX);
}

/* Every function that firmware made reachable. Bridges are left alone: what is behind them is what could do harm. */
static void quiet_bus(uint32_t bus, uint32_t depth) {
  for (uint32_t device = 0; device < 32; device++) {
    uint32_t functions = 1;
    for (uint32_t function = 0; function < functions; function++) {
      uint32_t address = bus << 8 | device << 3 | function;
      if ((pci_read(address, PCI_IDENTITY) & 0xffff) == 0xffff)
        continue;
      if (function == 0 && pci_read(address, PCI_HEADER_TYPE) >> 23 & 1)
        functions = 8;
      uint32_t class_code = pci_read(address, PCI_CLASS) >> 16;
      if (class_code == SUBCLASS_PCI_BRIDGE && depth < 8)
        quiet_bus(pci_read(address, PCI_BUSES) >> 8 & 0xff, depth + 1);
      else if (class_code >> 8 != CLASS_BRIDGE && !is_planned(address))
        quiet_function(address);
    }
  }
}

static uint64_t bar_size(uint32_t function, uint32_t offset, uint32_t kind) {
  pci_write(function, offset, UINT32_MAX);
  uint32_t mask = pci_read(function, offset);
  return (kind == BAR_PORTS ? ~(mask & ~3u) & 0xffff : ~(mask & ~15u)) + 1ull;
}

/* Decoding is off while BARs change (PCI 3.0, 6.2.5.1). */
static void place_bars(const struct device_row *device) {
  const struct bar_row *bar = TABLE(bars, bar_row) + device->first_bar;
  for (uint32_t i = 0; i < device->bar_count; i++) {
    uint32_t offset = PCI_BAR + 4 * bar[i].index;
    uint64_t size = bar_size(device->address, offset, bar[i].kind);
    if (size != bar[i].size)
      refuse("bytes of a base address register of", device->name, device->source, bar[i].size, size);
    pci_write(device->address, offset, (uint32_t)bar[i].address);
    if (bar[i].kind == BAR_MEMORY_64)
      pci_write(device->address, offset + 4, (uint32_t)(bar[i].address >> 32));
  }
}

/* Firmware may have left entries open. The table is mapped for us, and decoding is on. */
static void enable_msix(const struct device_row *device) {
  uint32_t at = pci_read(device->address, PCI_CAPABILITIES) & 0xfc;
  for (uint32_t seen = 0; at != 0 && seen < 48; seen++) {
    uint32_t capability = pci_read(device->address, at);
    if ((capability & 0xff) == PCI_CAPABILITY_MSIX) {
      for (uint32_t entry = 0; entry <= (capability >> 16 & MSIX_LAST_ENTRY); entry++)
        *(volatile uint32_t *)(device->msix_table + 16ull * entry + 12) = 1;
      pci_write(device->address, at, (capability & ~MSIX_FUNCTION_MASK) | MSIX_ENABLE);
      return;
    }
    at = capability >> 8 & 0xfc;
  }
  refuse("MSI-X capability of", device->name, device->source, 1, 0);
}

static void place_device(const struct device_row *device) {
  quiet_function(device->address);
  place_bars(device);
  pci_bus_master(device, false);
  if (device->msix_table != 0)
    enable_msix(device);
}

void pci_initialise(void) {
  quiet_bus(0, 0);
  for (uint32_t i = 0; i < DATABASE->devices.count; i++)
    if (device_row(i)->bus == BUS_PCI)
      place_device(device_row(i));
}

void pci_bus_master(const struct device_row *device, bool on) {
  uint32_t master = on && device->bus_master ? PCI_COMMAND_BUS_MASTER : 0;
  if (device->bus == BUS_PCI)
    pci_write(device->address, PCI_COMMAND, PCI_COMMAND_DECODE | PCI_COMMAND_NO_INTX | master);
}

/* MSI without a mask bit is turned off instead: with INTx off too the device is silent. What it had to say meanwhile is lost,
   as its owner must expect of an edge. A device that has gone since it was checked has nothing to say. */
void pci_msi(const struct interrupt_row *row, uint32_t address, uint32_t vector, bool masked) {
  const struct device_row *device = device_row(row->device);
  uint32_t control = pci_read(device->address, row->number) & ~(MSI_ENABLE | MSI_MESSAGES);
  if (!has_msi(control))
    return;
  pci_write(device->address, row->number, control);
  if (masked)
    return;
  pci_write(device->address, row->number + 4, address);
  pci_write(device->address, row->number + 8, 0);
  pci_write(device->address, row->number + (control & MSI_64 ? 12 : 8), vector);
  pci_write(device->address, row->number, control | MSI_ENABLE);
}
