/* SPDX-License-Identifier: Apache-2.0
 *
 * A small 82574 in memory, for the driver's host test: registers behind
 * register_read32 and register_write32; frames move when model_send and
 * model_receive are called. What the driver must not do ends the test.
 */
#ifndef IO_E1000E_MODEL_H
#define IO_E1000E_MODEL_H

#include "drivers/e1000e_registers.h"

#include <stdbool.h>
#include <stdint.h>

#define MODEL_REGISTERS 0xe0020000u
#define MODEL_BIAS 0x1234000u /* device addresses are this much above the program's */
#define MODEL_SENT 256u       /* frames remembered, the last ones */
#define MODEL_LONGEST 2048u
#define MODEL_VECTORS 5u

extern const uint8_t MODEL_ADDRESS[6];

struct model_frame {
  uint32_t length;
  uint8_t bytes[MODEL_LONGEST];
};

struct model {
  bool forgets;                                      /* CTRL.RST restores all registers, not only the address */
  bool master;                                       /* the monitor lets it do DMA */
  bool gone, never_quiet, never_resets, never_reads; /* what is wrong with it */
  uint32_t doorbells, write_backs;
  uint32_t messages[MODEL_VECTORS];
  uint32_t sent; /* frames, all; frame[n % MODEL_SENT] is frame n */
  struct model_frame frame[MODEL_SENT];
};

extern struct model model;

void model_power(bool forgets);
/* The card sends at most so many frames. Returns how many there were. */
uint32_t model_send(uint32_t limit);
/* A frame arrives. False: the filter or a lack of buffers kept it out. `extra`: bits of the status besides DD and EOP. */
bool model_receive(const uint8_t *frame, uint32_t length, uint32_t extra);
/* The card writes `written` to its next receive descriptor, whatever it means. False: it has none. */
bool model_report(uint64_t written);
/* All transmit descriptors say that they are done, though nothing was sent. */
void model_claim_all_sent(void);
void model_link(bool up);
uint32_t model_register(uint32_t offset);
void model_set(uint32_t offset, uint32_t value);

#endif
