/* SPDX-License-Identifier: Apache-2.0
 *
 * The AHCI driver: one port with a disk, 32 commands at a time by native command
 * queueing. A command that is not queued (flush) runs alone: the specification
 * forbids to mix them (AHCI 1.3.1, 5.5.1; SATA 3.2, 13.6).
 *
 * After an error the device has given up all that was queued and does not say
 * reliably which command it was. So the port is reset and all are issued again,
 * one at a time: each ends right, or with an error that is its own. Reads and
 * writes may be repeated as long as their clients wait, and so may flushes. What
 * a reset of the whole controller took is issued again once.
 */
#ifndef PARCLOSE_IO_AHCI_H
#define PARCLOSE_IO_AHCI_H

#include "ahci_registers.h"
#include "block.h"
#include "resources.h"

#define AHCI_SLOTS 32u
#define AHCI_REGIONS 24u        /* pieces of memory of one command */
#define AHCI_LONGEST (1u << 20) /* bytes of one command */
#define AHCI_RANGES 64u         /* of blocks in one command that discards */

struct ahci_table {
  union ahci_fis fis;
  uint8_t unused[0x80 - sizeof(union ahci_fis)];
  struct ahci_region region[AHCI_REGIONS];
};

/* What the controller reads and writes. Tables are aligned to 128 bytes, the command list to 1,024, received FISes to 256. */
struct ahci_memory {
  _Alignas(4096) struct ahci_header header[AHCI_SLOTS];
  _Alignas(1024) uint8_t received[256];
  _Alignas(512) volatile uint16_t identify[IDENTIFY_WORDS];
  _Alignas(512) uint64_t range[AHCI_SLOTS][AHCI_RANGES];
  _Alignas(512) struct ahci_table table[AHCI_SLOTS + 1]; /* the last is for start alone */
};

/* What the port does. */
enum ahci_phase {
  AHCI_DOWN,     /* not started, or given up */
  AHCI_RUNNING,  /* takes commands */
  AHCI_STOPPING, /* an error: the command list is to stop */
  AHCI_WAKING,   /* reset: the disk is to come back */
};

struct ahci {
  struct block_device block; /* first: a block_device is one of these */
  uintptr_t registers, port;
  struct ahci_memory *memory;
  uint64_t bias;      /* device address of memory = its address here + bias */
  uint32_t number;    /* of the port */
  uint32_t reachable; /* ports whose registers are mapped, a bit each */
  uint32_t wanted;    /* the board's choice + 1; 0: the first with a disk */
  uint32_t block_shift;
  bool queueing;                           /* NCQ; else one command at a time */
  uint32_t first_word[2], header_flags[2]; /* of a command and of its header, by direction */
  enum ahci_phase phase;
  /* Slots, a bit each; every one is in one set at most, the rest is free. */
  uint32_t free;
  uint32_t built;   /* queued commands that the next commit issues */
  uint32_t queued;  /* in the device */
  uint32_t waiting; /* commands that must run alone, and wait for that */
  uint32_t alone;   /* the one that runs alone */
  uint32_t again;   /* lost by an error: to be issued one at a time */
  uint32_t blamed;  /* ended by an error, but the list may still run: memory may still be written */
  uint32_t failed;  /* poll has to tell of their error */
  /* What the commands in slots are like. */
  uint32_t native;  /* queued ones */
  uint32_t retried; /* those that a reset of the controller took once already */
  uint32_t trouble; /* causes of interrupts that poll has seen and not dealt with: IS_ERRORS */
  uint16_t serial[IDENTIFY_SERIAL_WORDS];
  uint32_t tag[AHCI_SLOTS];
  uint32_t error[AHCI_SLOTS];
};

struct block_device *ahci_open(const struct driver_resources *given);

/* --- between the files of the driver --- */

static inline struct ahci *ahci_of(struct block_device *device) {
  return (struct ahci *)device;
}

static inline uint64_t ahci_address(const struct ahci *ahci, const volatile void *memory) {
  return (uint64_t)(uintptr_t)memory + ahci->bias;
}

/* ahci_port.c */
void ahci_port_place(struct ahci *ahci);
bool ahci_port_stop(struct ahci *ahci);
void ahci_port_clear(struct ahci *ahci);
void ahci_port_comreset(struct ahci *ahci);
bool ahci_port_ready(const struct ahci *ahci);
void ahci_port_go(struct ahci *ahci);
/* ahci_io.c */
void ahci_slots_reset(struct ahci *ahci, uint32_t depth);
void ahci_fill(struct ahci_header *header, union ahci_fis *fis, uint8_t command, uint32_t flags, uint32_t regions);
void ahci_issue_alone(struct ahci *ahci);
enum block_result ahci_submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag);
enum block_result ahci_flush(struct block_device *device, uint32_t tag);
enum block_result ahci_discard(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag);
void ahci_commit(struct block_device *device);
uint32_t ahci_poll(struct block_device *device, struct block_completion *completions, uint32_t limit);
/* ahci_error.c */
void ahci_lose(struct ahci *ahci);
void ahci_give_up(struct ahci *ahci);
void ahci_error(struct ahci *ahci, uint32_t task_file);
void ahci_recover(struct ahci *ahci);

#endif
