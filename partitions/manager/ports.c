/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager's ports: the report, and the board's power and reset. Its I/O
 * permission bitmap grants these and no other.
 */
#include "manager.h"

static void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out16(uint16_t port, uint16_t value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

void port_write(struct port_write write) {
  switch (write.width) {
  case 1:
    out8(write.port, (uint8_t)write.value);
    break;
  case 2:
    out16(write.port, (uint16_t)write.value);
    break;
  case 4:
    out32(write.port, write.value);
    break;
  default: /* 0: the board has no such port */
    break;
  }
}

void port_write_text(uint16_t port, const char *text) {
  for (; port && *text; text++)
    out8(port, (uint8_t)*text);
}
