/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor page: read-only, at DESCRIPTOR_ADDRESS in every partition. A
 * program finds its channels, devices, regions and configuration in it by
 * name, so no number is compiled into a program. Offsets are bytes from the
 * start of the page.
 */
#ifndef PARCLOSE_DESCRIPTOR_H
#define PARCLOSE_DESCRIPTOR_H

#include "database.h"
#include "limits.h"

#define DESCRIPTOR_MAGIC 0x45474150u /* "PAGE" */

struct descriptor_page {
  uint32_t magic;   /* DESCRIPTOR_MAGIC */
  uint32_t version; /* DATABASE_VERSION */
  char partition[LIMIT_NAME + 1];
  uint32_t role;          /* enum role */
  uint32_t index;         /* partition index */
  struct table channels;  /* struct channel_descriptor */
  struct table devices;   /* struct device_descriptor */
  struct table regions;   /* struct region_descriptor: all of the partition's regions, its own memory too */
  struct table configs;   /* struct config_descriptor */
  struct table addresses; /* struct address_descriptor */
  struct table labels;    /* struct label_descriptor: of an I/O partition */
  uint64_t memory_end;    /* end of data, bss and heap: the heap runs from the program's end to here */
  uint64_t stack_top, stack_size;
};

struct channel_descriptor {
  char name[LIMIT_NAME + 1]; /* this end's name */
  char peer[LIMIT_NAME + 1]; /* the partition at the other end */
  uint32_t index;            /* for calls */
  uint32_t number;           /* of the channel among all: for CHANNEL_LIFE */
  uint32_t end;              /* enum channel_end */
  uint32_t class;            /* enum channel_class */
  uint32_t event;            /* set when the other end signals */
  uint32_t reserved;
  uint64_t address, size;                /* of the window here; its data area is what follows struct channel_window */
  uint64_t client_address;               /* of the window at the client: ring addresses are relative to the client */
  uint64_t capacity;                     /* block: bytes of the extent, else 0 */
  uint32_t block_size;                   /* block */
  uint32_t rights;                       /* block, console: RIGHT_READ, RIGHT_WRITE; a console to read only is a log */
  uint32_t device;                       /* server: position in this page's table of devices; NONE at the client */
  uint32_t share;                        /* server: weight among the channels of one device */
  uint32_t endpoint;                     /* server: the same number for all channels of one endpoint; else NONE */
  uint32_t first_address, address_count; /* network: its rows in this page's table of addresses */
  uint8_t mac[6];                        /* network: the client's Ethernet address */
  uint16_t vlan;                         /* network: tag of its frames on the wire; 0: none */
  uint32_t wire;                         /* network: 1: its frames reach the uplink, and the uplink's reach it */
  uint32_t buffer;                       /* console, server: bytes that it keeps for the client */
  uint32_t escape;                       /* console, server: the key that opens the line's menu */
  uint32_t label;                        /* block, server: its row in this page's table of labels; else NONE */
  /* Network, server: bit i of word i / 64: frames pass to and from channel i of this page's table. */
  uint64_t talks[LIMIT_EVENTS / 64];
};

/* A partition of a disk, by the name in its partition table, where the plan has it. The server compares, once in each life,
   and adds nothing to any offset: what it serves stands in the database. */
struct label_descriptor {
  char name[LIMIT_LABEL + 4]; /* printable ASCII, and zeros */
  uint64_t start, size;       /* bytes on the device */
};

enum address_kind { ADDRESS_NEIGHBOUR, ADDRESS_GROUP };

/* Of a network channel. At the client: addresses on the same switch that it may talk to, in ascending order, then groups; at
   the server: the groups that the client listens to. */
struct address_descriptor {
  uint8_t mac[6];
  uint16_t kind; /* enum address_kind */
};

/* Facts of a device that stand in its configuration space, which only the monitor reaches: the board states them
   (`parameters:`, by these names in lower case). Of virtio (OASIS virtio 1.1, 4.1.4) all structures are in one BAR. */
#define PARAMETER_BAR 0               /* virtio: the BAR with its structures, whose offsets in it are */
#define PARAMETER_COMMON 1            /* … common configuration */
#define PARAMETER_ISR 2               /* … interrupt status */
#define PARAMETER_DEVICE 3            /* … device-specific configuration */
#define PARAMETER_NOTIFY 4            /* … notifications, */
#define PARAMETER_NOTIFY_MULTIPLIER 5 /* and the bytes from one queue's place there to the next's */
#define PARAMETER_PORT 6              /* AHCI: the port to use, + 1; 0: the first with a disk */
#define PARAMETER_COUNT 8

struct device_descriptor {
  char name[LIMIT_NAME + 1];
  uint32_t index;      /* for calls */
  uint32_t bus;        /* enum bus */
  uint32_t identity;   /* PCI: device id << 16 | vendor id */
  uint32_t class_code; /* PCI; ISA: 0x070002 for a 16550 */
  uint32_t interrupt_count;
  uint32_t first_event; /* interrupt i sets event first_event + i */
  struct {
    uint64_t address; /* of the mapped registers, or the first port; 0: not there */
    uint64_t size;
    uint32_t kind; /* enum bar_kind */
    uint32_t reserved;
  } bar[LIMIT_BARS];
  uint32_t parameter[PARAMETER_COUNT]; /* by PARAMETER_*; one that the board does not state is 0 */
};

struct region_descriptor {
  char name[LIMIT_NAME + 1];
  uint32_t index;
  uint32_t kind; /* enum region_kind */
  uint32_t rights;
  uint32_t reserved;
  uint64_t address, size;
  uint64_t device_address; /* where this partition owns a bus-mastering device: the address that device uses; else 0 */
};

struct config_descriptor {
  char name[LIMIT_NAME + 1]; /* the file's name in the layout */
  uint64_t address, size;
};

#endif
