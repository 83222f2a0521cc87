/* SPDX-License-Identifier: Apache-2.0
 *
 * The resource database: what the builder writes, the monitor enforces, the
 * manager reads and `parclose inspect` decodes from the bytes of the image.
 *
 * References are indexes or byte offsets from the start of the database, so
 * it reads the same at every address; those that the monitor follows in each
 * conversion are ring-0 addresses, and said a second time as indexes. Times are nanoseconds, sizes bytes,
 * physical addresses bytes from 0. Nothing in it changes while the machine
 * runs; the live word of a row (owner, state, life) stands in the monitor's
 * own data under the same index (live.h).
 */
#ifndef PARCLOSE_DATABASE_H
#define PARCLOSE_DATABASE_H

#include "limits_monitor.h"

#include <stdint.h>

#define DATABASE_MAGIC 0x45534f4c43524150ull /* "PARCLOSE" */
#define DATABASE_VERSION 3u
#define NONE 0xffffffffu /* "no such row" in an index field of 32 bits */

/* The checksum of bytes: for each little-endian word of 8 bytes, sum = rotate_left((sum ^ word) * PRIME, TURN), modulo 2^64.
   Each step can be undone, so no change within one word goes unnoticed. Against accidents and parts of different
   builds, not against a forger. */
#define CHECKSUM_START 0xcbf29ce484222325ull
#define CHECKSUM_PRIME 0x100000001b3ull
#define CHECKSUM_TURN 29

#define RIGHT_READ 1u
#define RIGHT_WRITE 2u
#define RIGHT_EXECUTE 4u

enum role { ROLE_GUEST, ROLE_IO, ROLE_MANAGER, ROLE_COUNT };
enum resource { RESOURCE_REGION, RESOURCE_DEVICE, RESOURCE_CHANNEL, RESOURCE_COUNT };
enum channel_end { END_CLIENT, END_SERVER };
enum channel_class { CLASS_BLOCK, CLASS_CONSOLE, CLASS_PEER, CLASS_NETWORK, CLASS_COUNT };
enum region_kind { REGION_TEXT, REGION_RODATA, REGION_DATA, REGION_STACK, REGION_SHARED };
enum bus { BUS_PCI, BUS_ISA };
enum bar_kind { BAR_MEMORY_32, BAR_MEMORY_64, BAR_PORTS };
enum interrupt_kind { INTERRUPT_MSIX, INTERRUPT_ISA, INTERRUPT_MSI };
enum on_end { ON_END_STAY, ON_END_POWEROFF, ON_END_REBOOT, ON_END_HALT };
enum health_action { HEALTH_STOP, HEALTH_RESTART };

/* Vectors: exceptions, then one for each interrupt row, then the monitor's own. */
#define VECTOR_DEVICE_FIRST 0x30u
#define VECTOR_TIMER 0xf0u
#define VECTOR_SPURIOUS 0xffu

struct table {
  uint32_t offset; /* of the first row, from the start of the database */
  uint32_t count;  /* rows */
};

/* A port and the value that, written to it, does something to the board; width 0 where the board has none. */
struct port_write {
  uint16_t port;
  uint16_t width; /* bytes: 1, 2 or 4 */
  uint32_t value;
};

struct database {
  uint64_t magic;            /* DATABASE_MAGIC */
  uint32_t version;          /* DATABASE_VERSION */
  uint32_t size;             /* of the whole database; a multiple of 8 */
  uint64_t checksum;         /* of the whole database, this field taken as 0 */
  struct table features;     /* struct feature_row */
  struct table memory;       /* struct memory_row */
  struct table processors;   /* struct processor_row */
  struct table frames;       /* struct frame_row */
  struct table slots;        /* struct slot_row */
  struct table partitions;   /* struct partition_row */
  struct table descriptors;  /* struct descriptor_row, in one block for each partition */
  struct table regions;      /* struct region_row */
  struct table devices;      /* struct device_row */
  struct table bars;         /* struct bar_row */
  struct table interrupts;   /* struct interrupt_row; row i has vector VECTOR_DEVICE_FIRST + i */
  struct table endpoints;    /* struct endpoint_row */
  struct table channels;     /* struct channel_row */
  struct table start_order;  /* uint32_t partition indexes, without the manager */
  struct table sums;         /* struct sum_row */
  uint32_t manager;          /* partition index */
  uint32_t on_end;           /* enum on_end */
  uint64_t xcr0;             /* state components every partition finds enabled (Intel SDM 1, 13.3) */
  uint64_t io_apic_physical; /* for messages only; mapped at IO_APIC_ADDRESS */
  uint16_t monitor_port; /* 16550 at which the monitor prints before the first partition runs and at the end; 0: none */
  uint16_t debug_port;   /* port that CALL_DEBUG writes to; 0: none */
  uint16_t report_port;  /* port of the manager's report; 0: none */
  uint16_t ports_check;  /* the three, exclusive-or: says whether they can be believed while the checksum is in doubt */
  struct port_write poweroff; /* used by the manager, which has these ports */
  struct port_write reboot;
  char layout[LIMIT_SOURCE + 1]; /* file name of the layout */
  char board[LIMIT_NAME + 1];
};

/* A processor feature without which the plan does not hold. */
struct feature_row {
  uint32_t leaf, subleaf; /* CPUID input EAX, ECX */
  uint32_t output;        /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
  uint32_t bit;
  char name[LIMIT_NAME + 1];
  char source[LIMIT_SOURCE + 1]; /* the line of the board or layout that asks for it */
};

/* An extent that the plan uses: it must lie in memory that the machine reports as usable. */
struct memory_row {
  uint64_t start, size;
  char name[LIMIT_NAME + 1];
  char source[LIMIT_SOURCE + 1];
};

/* What the image holds besides the database, and that the monitor trusts as it stands: compared before it is used. */
struct sum_row {
  uint64_t start, size; /* physical; multiples of 8 */
  uint64_t sum;         /* the checksum of the bytes there */
  char name[LIMIT_NAME + 1];
};

struct processor_row {
  uint32_t apic_id;
  uint32_t first_frame, frame_count; /* its major frame: these minor frames in turn */
  uint32_t reserved;
};

struct frame_row {
  uint64_t length_ns;
  uint32_t first_slot, slot_count; /* the first that is ready runs */
};

struct slot_row {
  uint64_t budget_ns; /* the most it may run in the frame; 0: what is left */
  uint32_t partition;
  uint32_t monitor_ns; /* of the layout's budget the rest, which is for the monitor's work in its name */
};

struct partition_row {
  char name[LIMIT_NAME + 1];
  uint32_t role;                               /* enum role: selects the table of calls */
  uint32_t processor;                          /* index */
  uint32_t first_descriptor, descriptor_count; /* its block; regions first, by address, then devices, then channels */
  uint32_t region_count;                       /* how many of the block are regions */
  uint32_t debug;                              /* 1: CALL_DEBUG is granted */
  uint64_t root;                               /* physical address of its PML4, for CR3 */
  uint64_t entry;                              /* partition-relative address of its first instruction */
  uint64_t stack_top;
  uint32_t fault_action; /* enum health_action, read by the manager */
  uint32_t fault_limit;  /* restarts within fault_within_ns; 0: no limit */
  uint64_t fault_within_ns;
  uint32_t fault_then; /* enum health_action once the limit is reached (only HEALTH_STOP now) */
  uint32_t reserved;
};

/* A resource as it concerns one partition. Its live word says whether it is assigned. */
struct descriptor_row {
  uint32_t partition;       /* the only one to whom it may be assigned */
  uint32_t resource;        /* enum resource */
  uint32_t target;          /* index of the region, device or channel */
  uint32_t rights;          /* RIGHT_*; of a channel: what the client may ask of its endpoint */
  uint16_t required;        /* 1: the partition does not start without it */
  uint16_t end;             /* enum channel_end, of a channel */
  uint16_t converts;        /* 1: this is a channel's server's end, and the channel has an endpoint */
  uint16_t event;           /* the partition's event that a signal from the other end sets, of a channel */
  uint32_t other_partition; /* of a channel: the partition at the other end, and */
  uint32_t other_event;     /* the event there that a signal from this end sets */
  uint64_t row;             /* ring-0 address of the target's row */
  uint64_t address;         /* partition-relative, of a region or channel window */
  char name[LIMIT_NAME + 1];
};

/* Memory of one partition, or shared by several. The only memory that conversion accepts. */
struct region_row {
  uint64_t physical, size;
  uint32_t kind;  /* enum region_kind */
  uint32_t owner; /* partition index; NONE for REGION_SHARED */
  char name[LIMIT_NAME + 1];
};

struct device_row {
  char name[LIMIT_NAME + 1];
  uint32_t bus;        /* enum bus */
  uint32_t address;    /* PCI: bus << 8 | device << 3 | function */
  uint32_t identity;   /* PCI: device id << 16 | vendor id, as read at offset 0 of configuration space */
  uint32_t class_code; /* PCI: class << 16 | subclass << 8 | interface */
  uint32_t owner;      /* partition index */
  uint32_t bus_master; /* 1: may do DMA once its owner has called it quiet */
  uint32_t first_bar, bar_count;
  uint32_t first_interrupt, interrupt_count;
  uint64_t msix_table; /* ring-0 address of its MSI-X table; 0: none */
  char source[LIMIT_SOURCE + 1];
};

struct bar_row {
  uint64_t address, size; /* physical address or first port that the monitor sets */
  uint32_t kind;          /* enum bar_kind */
  uint32_t index;         /* 0 to 5 */
};

struct interrupt_row {
  uint32_t kind;      /* enum interrupt_kind */
  uint32_t device;    /* index */
  uint32_t number;    /* entry of the MSI-X table; ISA interrupt = I/O APIC input; MSI: offset of its capability */
  uint32_t partition; /* who gets the event */
  uint32_t event;
  uint32_t reserved;
};

/* What a channel ends at inside an I/O partition. */
struct endpoint_row {
  char name[LIMIT_NAME + 1];
  uint32_t server;      /* partition index */
  uint32_t class;       /* enum channel_class */
  uint32_t device;      /* index; NONE: a network without an uplink */
  uint32_t block_mask;  /* block size less 1; of a network 0, so that conversion takes every length */
  uint64_t start, size; /* extent on the device, bytes */
  uint32_t rights;
  uint32_t shared;
};

struct channel_row {
  char name[LIMIT_NAME + 1];                     /* the client's name for it */
  uint32_t client, server;                       /* partition indexes */
  uint32_t client_descriptor, server_descriptor; /* descriptor indexes */
  uint32_t class;                                /* enum channel_class */
  uint32_t endpoint;                             /* index; NONE between guests */
  uint32_t buffer_rights;  /* RIGHT_* that a device may have to the client's buffers, by the endpoint's rights and the
                              channel's access: it writes where the client reads the endpoint, and the other way round */
  uint32_t quota;          /* conversions in flight, at most LIMIT_IN_FLIGHT */
  uint64_t physical, size; /* the window */
  uint64_t endpoint_row;   /* ring-0 address of that row; 0 between guests */
  uint64_t client_first_region, client_last_region; /* ring-0 addresses of the client's descriptors of regions */
  uint32_t index;                                   /* of this row */
};

#endif
