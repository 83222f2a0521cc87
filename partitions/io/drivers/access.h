/* SPDX-License-Identifier: Apache-2.0
 *
 * Access to device registers and ports. A host build (PARCLOSE_HOST) links a
 * model of the device behind the same names.
 */
#ifndef PARCLOSE_IO_ACCESS_H
#define PARCLOSE_IO_ACCESS_H

#include <stdint.h>

#ifdef PARCLOSE_HOST

uint8_t register_read8(uintptr_t address);
uint16_t register_read16(uintptr_t address);
uint32_t register_read32(uintptr_t address);
void register_write8(uintptr_t address, uint8_t value);
void register_write16(uintptr_t address, uint16_t value);
void register_write32(uintptr_t address, uint32_t value);
uint8_t port_read8(uint16_t port);
void port_write8(uint16_t port, uint8_t value);

#else

static inline uint8_t register_read8(uintptr_t address) {
  return *(const volatile uint8_t *)address;
}

static inline uint16_t register_read16(uintptr_t address) {
  return *(const volatile uint16_t *)address;
}

static inline uint32_t register_read32(uintptr_t address) {
  return *(const volatile uint32_t *)address;
}

/* The "memory" clobber keeps earlier stores to queues in memory before the doorbell; x86 keeps their order. */
static inline void register_write32(uintptr_t address, uint32_t value) {
  __asm__ volatile("movl %1, %0" : "=m"(*(volatile uint32_t *)address) : "r"(value) : "memory");
}

static inline void register_write8(uintptr_t address, uint8_t value) {
  __asm__ volatile("movb %1, %0" : "=m"(*(volatile uint8_t *)address) : "q"(value) : "memory");
}

static inline void register_write16(uintptr_t address, uint16_t value) {
  __asm__ volatile("movw %1, %0" : "=m"(*(volatile uint16_t *)address) : "r"(value) : "memory");
}

static inline uint8_t port_read8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}

static inline void port_write8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

#endif

/* NVMe 1.4, 3.1, and virtio 1.1, 4.1.3.1: a 64-bit register may be accessed as two 32-bit ones. */
static inline uint64_t register_read64(uintptr_t address) {
  uint64_t low = register_read32(address);
  return low | (uint64_t)register_read32(address + 4) << 32;
}

static inline void register_write64(uintptr_t address, uint64_t value) {
  register_write32(address, (uint32_t)value);
  register_write32(address + 4, (uint32_t)(value >> 32));
}

#endif
