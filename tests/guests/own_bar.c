/* SPDX-License-Identifier: Apache-2.0
 *
 * The owner of a device moves its registers: over the interrupt controller, say. PCI configuration space is reached by two
 * ports, in every width.
 */
#include "hostile.h"

#define BAR_0_OF_NVME 0x80002010u /* bus 0, device 4, register 0x10 */
#define ELSEWHERE 0xe2000000u

static void select_register(void) {
  __asm__ volatile("outl %0, %1" : : "a"(BAR_0_OF_NVME), "Nd"((uint16_t)0xcf8));
}

static uint32_t read_long(void) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"((uint16_t)0xcfc));
  return value;
}

static void write_long(void) {
  __asm__ volatile("outl %0, %1" : : "a"(ELSEWHERE), "Nd"((uint16_t)0xcfc));
}

static void write_word(void) {
  __asm__ volatile("outw %0, %1" : : "a"((uint16_t)(ELSEWHERE >> 16)), "Nd"((uint16_t)0xcfe));
}

static void write_byte(void) {
  __asm__ volatile("outb %0, %1" : : "a"((uint8_t)(ELSEWHERE >> 24)), "Nd"((uint16_t)0xcff));
}

static void string(void) {
  uint32_t value = ELSEWHERE;
  const void *from = &value;
  __asm__ volatile("outsl" : "+S"(from) : "d"((uint16_t)0xcfc) : "memory");
}

static void read_only(void) {
  read_long();
}

static const struct {
  const char *name;
  void (*act)(void);
} deeds[] = {
    {"select the register", select_register},
    {"read it", read_only},
    {"write a long", write_long},
    {"write a word", write_word},
    {"write a byte", write_byte},
    {"write a string", string},
};

int main(void) {
  for (unsigned i = life() - 1; i < sizeof deeds / sizeof deeds[0]; i++) {
    attempting("to %s", deeds[i].name);
    deeds[i].act();
    escaped("%s: BAR 0 is %x", deeds[i].name, read_long());
  }
  return verdict();
}
