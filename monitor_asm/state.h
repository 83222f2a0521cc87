/* SPDX-License-Identifier: Apache-2.0
 *
 * All state of the monitor that changes: of a processor (struct cpu, at the same address in every root of that
 * processor), of a partition's registers (struct context, at the same address in every root, of that partition),
 * and of the database's rows (live words and partition states). Nothing else in ring 0 is written after boot.
 */
#ifndef MONITOR_STATE_H
#define MONITOR_STATE_H

#include "../abi/address.h"
#include "../abi/call.h"
#include "../abi/database.h"
#include "../abi/live.h"
#include "registers.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value from ring 3. It becomes usable in one of the checked functions of call.c and convert.c only. */
typedef struct {
  uint64_t raw;
} untrusted;

struct result {
  uint64_t status; /* enum status, for RAX */
  uint64_t value;  /* for RDX */
};

static inline struct result just(uint64_t status) {
  return (struct result){status, 0};
}

typedef struct result call_handler(untrusted, untrusted, untrusted);

/* What entry.S pushes, on top of what the processor pushes. */
struct frame {
  struct registers registers;
  uint64_t vector; /* VECTOR_CALL for a call: then RCX holds RIP, R11 RFLAGS, and RAX and RDX await the result */
  uint64_t error;
  uint64_t rip, cs, rflags, rsp, ss;
};

#define XSAVE_ROOM 3776u

/* A partition's registers while it does not run, in its own page that no other root maps; and what a call looks up of its
   caller. So a CR3 load changes who `CONTEXT` is, and nothing needs to say so a second time. */
struct context {
  _Alignas(64) uint64_t xsave[XSAVE_ROOM / 8];
  uint8_t unused[4096 - XSAVE_ROOM - sizeof(struct frame) - 56];
  call_handler *const *calls; /* table of its role; read by entry.S */
  struct partition *partition;
  const struct partition_row *row;
  const struct descriptor_row *descriptors; /* its block */
  uint64_t descriptor_count;
  uint64_t fs_base, gs_base;
  struct frame frame; /* ends where the processor's stack pointer for ring 0 starts */
};

_Static_assert(sizeof(struct context) == PAGE_SIZE, "a context is one page");

/* State of a partition. Changed by the partition's own processor, but for the atomic words. */
struct partition {
  _Alignas(128) _Atomic uint64_t live;        /* live.h */
  _Atomic uint64_t pending;                   /* byte w is not 0: events[w] may hold events */
  uint64_t deadline;                          /* of a wait, TSC */
  uint64_t root;                              /* for CR3 */
  uint64_t frame_number;                      /* `places` are of the frame with this number */
  uint32_t places;                            /* bit s: it is listed in slot s of that frame */
  _Atomic uint64_t events[LIMIT_EVENTS / 64]; /* set and not yet taken */
};

_Static_assert(LIMIT_EVENTS / 64 <= 8, "one byte of `pending` for each word of events");

/* A slot of a frame as the monitor uses it: worked out at boot. */
struct place {
  struct partition *partition;
  uint64_t budget; /* ticks; UNBOUNDED: what is left of the frame */
  uint32_t places; /* bit s: slot s of this frame is its partition's too */
};

struct minor_frame {
  const struct minor_frame *next;
  const struct place *places;
  uint64_t length; /* ticks */
  uint32_t count;
  uint32_t unbounded; /* bit s: slot s has no budget */
};

/* The turn: who of the current frame is ready. Slot LIMIT_SLOTS stands for nobody, and is always ready. */
#define NOBODY_READY (1u << LIMIT_SLOTS)
struct turn {
  uint32_t ready;     /* bit s: slot s can run now */
  uint32_t funded;    /* bit s: slot s has budget left */
  uint32_t unbounded; /* bit s: slot s has no budget and nothing is uncertain */
  uint32_t passes; /* the same while the slot that runs is one of them: it may pass the turn to another without a look
                           at the clock, since the timer is set for `wake` */
  uint32_t slot;   /* the one that runs */
  bool uncertain;  /* a place is lent to the manager, or a partition started or stopped: look at every slot */
  uint64_t wake;   /* TSC, at or before the first deadline of those that wait, at most frame_end */
  uint64_t number; /* of the frame, counted from boot */
  uint64_t frame_end;   /* TSC */
  uint64_t slice_start; /* TSC at which the slot was last given the processor, less `ways` */
  uint64_t ways; /* ticks from one partition to the next and back, which whoever has a budget pays at each turn */
  const struct minor_frame *frame;
  struct partition *manager;
  uint64_t remaining[LIMIT_SLOTS + 1];          /* ticks that each slot may still take */
  struct partition *partition[LIMIT_SLOTS + 1]; /* who runs in each slot */
};

#define UNBOUNDED UINT64_MAX

struct cpu {
  uint64_t gdt[GDT_ENTRIES];
  uint64_t idle;  /* not 0: an interrupt in ring 0 is expected; read by entry.S */
  uint64_t armed; /* TSC for which the timer is set */
  struct turn turn;
};

_Static_assert(sizeof(struct cpu) <= PAGE_SIZE, "a processor's state is one page");

#define CPU ((struct cpu *)LOCAL_CPU)
#define CONTEXT ((struct context *)LOCAL_CONTEXT)
#define CALL_PAGE ((struct call_page *)LOCAL_CALL_PAGE)
#define DATABASE ((const struct database *)DATABASE_ADDRESS)

static inline volatile uint32_t *apic(uint32_t offset) {
  return (volatile uint32_t *)(APIC_ADDRESS + offset);
}

extern struct partition partitions[LIMIT_PARTITIONS];
extern struct fault_record fault_records[LIMIT_PARTITIONS];
extern _Atomic uint64_t descriptor_live[LIMIT_DESCRIPTORS];
extern _Atomic uint64_t channel_live[LIMIT_CHANNELS];

/* `TABLE(partitions, partition_row)`: the first row of a table of the database. */
#define TABLE(name, row) ((const struct row *)(DATABASE_ADDRESS + DATABASE->name.offset))

/* `partition_row(7)`: a row of it. */
#define ROW(table, row)                                                                                                \
  static inline const struct row *row(uint32_t index) {                                                                \
    return TABLE(table, row) + index;                                                                                  \
  }
ROW(partitions, partition_row)
ROW(descriptors, descriptor_row)
ROW(channels, channel_row)
ROW(devices, device_row)
ROW(interrupts, interrupt_row)
#undef ROW

static inline uint32_t index_of(const struct partition *partition) {
  return (uint32_t)(partition - partitions);
}

/* Only its own processor changes whether a partition runs or waits: one byte of the live word. */
static inline void partition_set_state(struct partition *partition, enum partition_state state) {
  *(volatile uint8_t *)&partition->live = (uint8_t)state;
}

static inline bool is_alive(const struct partition *partition) {
  return (atomic_load_explicit(&partition->live, memory_order_relaxed) & PARTITION_ALIVE) != 0;
}

#endif
