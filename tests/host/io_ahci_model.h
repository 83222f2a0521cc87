/* SPDX-License-Identifier: Apache-2.0
 *
 * A small AHCI controller with one disk in memory, for the driver's host test:
 * registers behind register_read32 and register_write32, commands carried out
 * when model_work is called, in random order.
 */
#ifndef IO_AHCI_MODEL_H
#define IO_AHCI_MODEL_H

#include "drivers/ahci_registers.h"

#include <stdbool.h>
#include <stdint.h>

#define MODEL_REGISTERS 0xfeb00000u
#define MODEL_BIAS 0x1234000u /* device addresses are this much above the program's */
#define MODEL_PORTS 6u

struct model {
  uint32_t shift, slots, depth, port; /* depth: of the disk's queue, 0: it has none */
  uint32_t packet_port;               /* has a device that is no disk; the same as `port`: there is none */
  /* What is wrong with it. */
  bool gone, never_resets, never_stops, silent, no_link, old_addresses, forgets_cause, takes_failed;
  uint32_t wakes_after;       /* looks at the link after a reset until the disk is there */
  uint32_t fail_in;           /* so many commands from now one fails; 0: none */
  uint64_t bad_block;         /* every access to it fails */
  uint32_t invents;           /* bits that it reports as ended though nobody asked */
  bool caches, forces, trims; /* what it can do beyond reading and writing */
  char serial;                /* a letter: all of it */
  /* What it counts. */
  uint32_t commands, issues, resets, flushes, forced, alone;
  uint8_t *disk;
  uint64_t disk_size;
};

extern struct model model;

void model_power(uint32_t shift, uint32_t slots, uint32_t depth);
void model_work(uint32_t limit); /* carries out at most so many commands */
uint32_t model_waiting(void);    /* commands issued and not carried out */
bool model_interrupt(void);      /* a message was sent since it was last asked */

#endif
