/* SPDX-License-Identifier: Apache-2.0
 *
 * Ports that the layout gives to others or to nobody. Where an access succeeds it does no harm.
 */
#include "hostile.h"

static const struct {
  uint16_t port;
  uint8_t value;
} ports[] = {
    {0x20, 0x20},   /* interrupt controller: end of interrupt */
    {0x43, 0x00},   /* interval timer: latch */
    {0x70, 0x0d},   /* real-time clock: index */
    {0x92, 0x02},   /* fast A20 and reset */
    {0xe9, '\n'},   /* debug */
    {0x2f8, 0},     /* second serial port */
    {0x3f8, '.'},   /* first serial port */
    {0x402, '\n'},  /* the manager's report */
    {0x604, 0x00},  /* power off */
    {0xcf8, 0x00},  /* PCI configuration: address */
    {0xcf9, 0x00},  /* reset */
    {0xcfc, 0x00},  /* PCI configuration: data */
    {0xffff, 0x00}, /* the last one */
};

static void attack(unsigned step) {
  uint16_t port = ports[step / 2].port;
  uint8_t value = ports[step / 2].value;
  attempting("%s %x", step % 2 ? "out" : "in", port);
  if (step % 2)
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
  else
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  escaped("%s %x", step % 2 ? "out" : "in", port);
}

int main(void) {
  for (unsigned step = life() - 1; step < 2 * sizeof ports / sizeof ports[0]; step++)
    attack(step);
  return verdict();
}
