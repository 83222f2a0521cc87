/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor call interface. SYSCALL with the number in RAX and arguments in
 * RDI, RSI, RDX, R10; the status comes back in RAX, a value in RDX. RCX and R11
 * are lost (the instruction itself takes them); every other register is kept.
 *
 * A partition names a resource by its index in its own block of descriptors,
 * so it cannot express another partition's. A call that is not in the role's
 * table returns STATUS_NO_CALL.
 */
#ifndef PARCLOSE_CALL_H
#define PARCLOSE_CALL_H

#include "limits_monitor.h"

#include <stdint.h>

enum call {
  /* every role; the first five may give the processor to another partition */
  CALL_SIGNAL = 0, /* (channel, release): release conversions (server only), then set the other end's event */
  CALL_WAIT = 1,   /* (deadline): until an event is pending or the clock reaches deadline (NEVER: no limit; 0: only
                               ask); value: summary, bit w set where call_page.events[w] holds events, which are taken */
  CALL_SIGNAL_AND_WAIT = 2, /* (channel, release, deadline): both, in one */
  CALL_YIELD = 3,           /* (): give up the rest of this turn; returns in the next */
  CALL_EXIT = 4,            /* (status): end; does not return */
  CALL_SHORT = 5,           /* from here on: the caller goes on at once */
  CALL_ACKNOWLEDGE = 5,     /* (device, interrupt): unmask the interrupt; interrupt counts from 0 within the device */
  CALL_DEBUG = 6,           /* (character): to the board's debug port, where granted */
  CALL_QUIET = 7, /* (device): its owner has reset it and nothing is under way: clears the counts that an earlier
                               life left on the channels this partition serves, and turns bus mastering on */
  /* I/O partitions */
  CALL_CONVERT =
      8, /* (channel, count, CHANNEL_LIFE): entries in call_page.convert, all or none; value: on refusal the entry's
                        index */
  CALL_RELEASE = 9,  /* (channel, count): that many conversions are no longer in use by a device */
  CALL_CHANNEL = 10, /* (channel): value: the live word of the channel (live.h) */
  /* the manager */
  CALL_ASSIGN = 16, /* (descriptor, partition): global indexes */
  CALL_START =
      17,         /* (partition): the first time, or again after it stopped; value: on refusal the descriptor's index */
  CALL_STOP = 18, /* (partition) */
  CALL_STATE = 19, /* (what, index): enum live; value: the live word */
  CALL_FAULT = 20, /* (partition): its last stop, into call_page.fault */
  CALL_COUNT = 24
};

/* The calls of each role, said once: for the monitor's tables and for `parclose inspect`. X(end of the constant, name). */
#define CALLS_EVERY(X)                                                                                                 \
  X(SIGNAL, signal)                                                                                                    \
  X(WAIT, wait)                                                                                                        \
  X(SIGNAL_AND_WAIT, signal_and_wait)                                                                                  \
  X(ACKNOWLEDGE, acknowledge)                                                                                          \
  X(YIELD, yield)                                                                                                      \
  X(EXIT, exit)                                                                                                        \
  X(DEBUG, debug)                                                                                                      \
  X(QUIET, quiet)
#define CALLS_GUEST(X) CALLS_EVERY(X)
#define CALLS_IO(X) CALLS_EVERY(X) X(CONVERT, convert) X(RELEASE, release) X(CHANNEL, channel)
#define CALLS_MANAGER(X) CALLS_EVERY(X) X(ASSIGN, assign) X(START, start) X(STOP, stop) X(STATE, state) X(FAULT, fault)

/* Bit n: the role has call n. */
#define CALL_BIT(NAME, name) (1u << CALL_##NAME) |
enum role_calls {
  ROLE_CALLS_GUEST = CALLS_GUEST(CALL_BIT) 0,
  ROLE_CALLS_IO = CALLS_IO(CALL_BIT) 0,
  ROLE_CALLS_MANAGER = CALLS_MANAGER(CALL_BIT) 0
};

#define NEVER 0xffffffffffffffffull /* a deadline that does not come */

enum status {
  STATUS_OK = 0,
  STATUS_NO_CALL = 1,   /* not in the role's table */
  STATUS_BAD_INDEX = 2, /* no such descriptor, or of another resource */
  STATUS_BAD_ARGUMENT = 3,
  STATUS_NOT_PERMITTED = 4, /* the table does not allow it */
  STATUS_NOT_ASSIGNED = 5,  /* a required descriptor, or an end of the channel, is free */
  STATUS_ALREADY_ASSIGNED = 6,
  STATUS_NOT_CONNECTED = 7,   /* the other end is stopped, or never ran */
  STATUS_STALE_LIFE = 8,      /* the client was restarted since the request */
  STATUS_QUOTA = 9,           /* too many conversions in flight */
  STATUS_BAD_RANGE = 10,      /* the range is not inside one region of the client */
  STATUS_NO_RIGHT = 11,       /* the region or the endpoint lacks the right */
  STATUS_OUTSIDE_EXTENT = 12, /* offset and length leave the endpoint's extent */
  STATUS_UNALIGNED = 13,      /* offset or length is no multiple of the block size */
  STATUS_IN_FLIGHT = 14,      /* conversions of an earlier life are still in flight */
  STATUS_WRONG_STATE = 15,    /* e.g. start of a running partition */
  STATUS_TIMEOUT = 16,        /* the wait ended by its deadline */
  STATUS_COUNT = 17
};

/* One buffer of a request. The first five fields are the server's, the last two the monitor's. */
struct convert_entry {
  uint64_t address;  /* partition-relative, of the client */
  uint64_t offset;   /* bytes from the start of the endpoint; 0 where it has no extent */
  uint32_t length;   /* bytes; not 0 */
  uint32_t access;   /* RIGHT_READ: the device reads the buffer (a disk write); RIGHT_WRITE: it writes the buffer */
  uint64_t physical; /* out */
  uint64_t device_offset; /* out: absolute on the device */
};

/* Why a partition stopped last. */
enum stop_reason {
  STOP_NONE,
  STOP_EXIT,      /* value: its status */
  STOP_EXCEPTION, /* vector, error, address */
  STOP_MANAGER,   /* CALL_STOP */
};

/* General registers in the order in which the monitor pushes them. */
struct registers {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rcx, rbx, rdx, rax;
};

struct fault_record {
  uint32_t reason;  /* enum stop_reason */
  uint32_t vector;  /* of an exception */
  uint64_t error;   /* error code of an exception, or the exit status */
  uint64_t address; /* CR2 of a page fault, else 0 */
  uint64_t rip, rsp, rflags;
  struct registers registers;
  uint64_t time; /* clock at the stop */
};

/* What does not fit registers. 4 KiB, private to the partition and the monitor; no device can reach it. */
struct call_page {
  uint64_t events[LIMIT_EVENTS / 64];
  struct convert_entry convert[LIMIT_BATCH];
  struct fault_record fault;
};

_Static_assert(sizeof(struct call_page) <= 4096, "the call page is one page");

#endif
