/* SPDX-License-Identifier: Apache-2.0
 *
 * Model-specific registers: reads and writes of the ones that would give the machine away.
 */
#include "privileged.h"

static const struct {
  const char *name;
  uint32_t number;
} registers[] = {
    {"APIC_BASE", 0x1b},     {"SYSENTER_CS", 0x174},         {"PAT", 0x277},          {"EFER", 0xc0000080},
    {"STAR", 0xc0000081},    {"LSTAR", 0xc0000082},          {"FMASK", 0xc0000084},   {"FS_BASE", 0xc0000100},
    {"GS_BASE", 0xc0000101}, {"KERNEL_GS_BASE", 0xc0000102}, {"TSC_AUX", 0xc0000103},
};

static uint64_t read_register(uint32_t number) {
  uint32_t low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
  return low | (uint64_t)high << 32;
}

static void write_register(uint32_t number, uint64_t value) {
  __asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void attack(unsigned step) {
  const char *name = registers[step / 2].name;
  uint32_t number = registers[step / 2].number;
  const char *verb = step % 2 ? "write" : "read";
  attempting("to %s %s", verb, name);
  monitor_yield(); /* the control's monitor comes back in ring 0 */
  if (step % 2)
    write_register(number, in_ring_0() ? read_register(number) : 0);
  else
    read_register(number);
  escaped("%s %s", verb, name);
}

int main(void) {
  for (unsigned step = life() - 1; step < 2 * sizeof registers / sizeof registers[0]; step++)
    attack(step);
  return verdict();
}
