/* SPDX-License-Identifier: Apache-2.0
 *
 * A small NVMe controller in memory, for the driver's host test: registers
 * behind register_read32 and register_write32, commands carried out when
 * model_work is called, completions in random order.
 */
#ifndef IO_NVME_MODEL_H
#define IO_NVME_MODEL_H

#include "drivers/nvme_registers.h"

#include <stdbool.h>
#include <stdint.h>

#define MODEL_REGISTERS 0xfeb00000u
#define MODEL_BIAS 0x1234000u /* device addresses are this much above the program's */
#define MODEL_NSID 7u

struct model {
  uint32_t block_shift, mdts, entries;
  bool never_ready, never_stops, fatal, silent; /* what is wrong with it */
  bool plain;                                   /* it has no optional command and no cache */
  bool through, deallocated;                    /* what the last command said */
  uint32_t fail_in;                             /* so many commands from now one fails; 0: none */
  uint32_t sgls;                                /* what the controller says of SGLs */
  char serial;
  uint32_t commands, doorbells, listed, aborts;
  uint8_t *disk;
  uint64_t disk_size;
};

extern struct model model;

void model_power(uint32_t block_shift, uint32_t mdts, uint32_t entries);
void model_work(uint32_t limit); /* carries out at most so many I/O commands */

#endif
