/* SPDX-License-Identifier: Apache-2.0
 *
 * Every limit of the product, stated once. The builder reads these values from
 * the compiled header, so that a check and a table can never disagree.
 */
#ifndef PARCLOSE_LIMITS_H
#define PARCLOSE_LIMITS_H

#include "limits_monitor.h" /* those that ring 0 holds too */

#define LIMIT_PROCESSORS 1u        /* processors that the monitor starts */
#define LIMIT_DEVICES 64u          /* rows */
#define LIMIT_DEVICE_INTERRUPTS 8u /* rows of one device: entries of its MSI-X table beyond stay masked */
#define LIMIT_LABEL 36u            /* characters of the name of a partition of a disk (UEFI 2.10, 5.3.3) */
#define LIMIT_BARS 6u              /* base address registers of one PCI function */
#define LIMIT_QUEUE 128u           /* descriptors of one virtqueue; a power of two */
#define LIMIT_GROUPS 64u           /* multicast groups that the channels of one network endpoint listen to */
#define LIMIT_RESTARTS 100u        /* of one partition within its window: what the manager remembers */
#define LIMIT_MEMORY 0x20000000u   /* bytes of one partition's memory: 512 MiB */
#define LIMIT_STACK 0x01000000u    /* bytes of one partition's stack: 16 MiB */
#define LIMIT_LAYOUT_SIZE 0x40000u /* bytes of a layout or board file: 256 KiB */
#define LIMIT_LAYOUT_DEPTH 24u     /* lists and mappings inside each other in such a file */
#define LIMIT_LAYOUT_NODES 20000u  /* values of such a file, its aliases expanded */
#define LIMIT_DESCRIPTOR_PAGES 16u /* 4 KiB pages of one partition's descriptor page */

/* What the built-in I/O partition has room for; each of them is memory that it has whether it is used or not. */
#define LIMIT_IO_DISKS 4u              /* devices of these three classes */
#define LIMIT_IO_CARDS 2u              /* network */
#define LIMIT_IO_LINES 4u              /* console */
#define LIMIT_IO_SWITCHES 8u           /* network endpoints: one on each card, and those without */
#define LIMIT_IO_NETWORK_CHANNELS 128u /* to all of its network endpoints */
#define LIMIT_IO_CONSOLE_CHANNELS 64u  /* to all of its consoles */

#define LIMIT_CONSOLE_LOGS 8u          /* log channels of one console */
#define LIMIT_CONSOLE_BUFFER 0x10000u  /* bytes that a console's server keeps for one channel: 64 KiB */
#define LIMIT_CONSOLE_BUFFERS 0x20000u /* and for all channels of one I/O partition: 128 KiB */

#define FRAME_SHORTEST_NS 20000u /* a shorter minor frame would be mostly switching */
#define BUDGET_SHORTEST_NS 5000u /* a smaller budget would be over before anything is done */

/* What the monitor takes of a frame in a partition's name, at the worst, in instructions, each counted as a nanosecond. The
   planner takes it out of the partition's budget; `make bench` and the promises about time hold the sum. COST_TURN is ring 0's too. */
#define COST_CALL 300u          /* a call, but for the entries of a conversion */
#define COST_CONVERT 50u        /* an entry of a conversion, but for the look at regions */
#define COST_CONVERT_REGION 13u /* the look at one region of the client */
#define COST_INTERRUPT 120u     /* one interrupt of a device whose owner may not run */

#define MANAGER_SLOT_DEFAULT_NS 50000u

#endif
