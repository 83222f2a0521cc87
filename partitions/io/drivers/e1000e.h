/* SPDX-License-Identifier: Apache-2.0
 *
 * The e1000e driver: Intel 82574 and what behaves like it, one queue in each
 * direction, MSI-X.
 */
#ifndef PARCLOSE_IO_E1000E_H
#define PARCLOSE_IO_E1000E_H

#include "e1000e_registers.h"
#include "network.h"
#include "resources.h"

#define E1000E_ENTRIES 256u              /* of each ring; a power of two */
#define E1000E_MASK (E1000E_ENTRIES - 1) /* entries in use at the same time: a full ring looks empty */
#define E1000E_RECEIVE_BYTES 2048u       /* RCTL.BSIZE: what the card may write to a buffer */
#define E1000E_FILTERS (RA_ENTRIES - 1)  /* exact addresses beside the card's own */
#define E1000E_EXTRA 2u                  /* descriptors of a frame besides its segments: context, padding */
#define E1000E_TRANSMIT_DEPTH (E1000E_MASK - E1000E_EXTRA)
#define E1000E_REPORT_EACH 32u /* frames: the card tells of the last one of so many, and of the last of a commit */

/* Memory that the card reads and writes. */
struct e1000e_memory {
  _Alignas(4096) struct e1000e_receive_descriptor receive[E1000E_ENTRIES];
  _Alignas(4096) struct e1000e_transmit_descriptor transmit[E1000E_ENTRIES];
  _Alignas(64) uint8_t zeroes[64]; /* behind frames that are too short for the card */
};

/* Indexes run freely; E1000E_MASK makes a ring's of them. */
struct e1000e_receive {
  struct e1000e_receive_descriptor *ring;
  uint32_t head, tail, told; /* oldest with the card, next to fill, what the card knows */
  bool inside;               /* a frame that goes on behind the last buffer */
  uint32_t tag[E1000E_ENTRIES];
};

struct e1000e_frame {
  uint32_t tag, end; /* the descriptor behind its last one */
};

struct e1000e_transmit {
  struct e1000e_transmit_descriptor *ring;
  uint32_t head, tail, told; /* descriptors: oldest in use, next to fill, what the card knows */
  uint32_t done;             /* the card has told that it is through with what stands before this one */
  uint32_t first, next;      /* frames */
  uint32_t room;             /* descriptors that are free */
  uint32_t unreported;       /* frames since the last one that the card will tell of */
  uint32_t report_first, report_next;
  uint64_t context; /* the last one queued */
  struct e1000e_frame frame[E1000E_ENTRIES];
  uint32_t report[E1000E_ENTRIES]; /* descriptors with RS */
};

/* Tags that a reset took and that have not come back yet. */
struct e1000e_lost {
  uint32_t count;
  uint32_t tag[E1000E_ENTRIES];
};

struct e1000e {
  struct network_device network; /* first: a network_device is one of these */
  uintptr_t registers;
  struct e1000e_memory *memory;
  uint64_t bias;
  uint32_t interrupts;
  bool ready;
  struct e1000e_receive receive;
  struct e1000e_transmit transmit;
  struct e1000e_lost lost_receive, lost_transmit;
  /* the filter, kept over resets */
  uint32_t filters;
  uint32_t pass; /* bits of RCTL */
  uint8_t filter[E1000E_FILTERS][NETWORK_ADDRESS];
  uint32_t hash[MTA_WORDS];
};

/* Says where the card is; touches nothing. */
struct network_device *e1000e_open(const struct driver_resources *given);

/* --- between the files of the driver --- */

static inline struct e1000e *e1000e_of(struct network_device *device) {
  return (struct e1000e *)device;
}

/* e1000e_filter.c */
void e1000e_filter_tell(const struct e1000e *card); /* to the card */
bool e1000e_filter(struct network_device *device, const uint8_t (*addresses)[NETWORK_ADDRESS], uint32_t count);
/* e1000e_ring.c */
void e1000e_rings_start(struct e1000e *card);
void e1000e_rings_lose(struct e1000e *card); /* all that is with the card comes back as lost */
enum network_result e1000e_transmit(struct network_device *device, const struct network_segment *segments,
                                    uint32_t count, struct network_checksum checksum, uint32_t tag);
enum network_result e1000e_receive(struct network_device *device, struct network_segment buffer, uint32_t tag);
void e1000e_commit(struct network_device *device);
uint32_t e1000e_sent(struct network_device *device, struct network_sent *sent, uint32_t limit);
uint32_t e1000e_received(struct network_device *device, struct network_received *received, uint32_t limit);

#endif
