/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits that ring 0 holds, part of limits.h: sizes of its tables and of what it reads.
 */
#ifndef PARCLOSE_LIMITS_MONITOR_H
#define PARCLOSE_LIMITS_MONITOR_H

#define LIMIT_PARTITIONS 64u    /* rows, the manager included */
#define LIMIT_DESCRIPTORS 4096u /* rows, of all partitions together */
#define LIMIT_CHANNELS 512u     /* rows */
#define LIMIT_INTERRUPTS 160u   /* rows; one vector each, from VECTOR_DEVICE_FIRST */
#define LIMIT_FRAMES 256u       /* minor frames of one processor's major frame */
#define LIMIT_SLOTS 16u         /* partitions listed in one minor frame */
#define LIMIT_PLACES 1024u      /* slots of all minor frames of one processor together */
#define LIMIT_EVENTS 256u       /* events of one partition */
#define LIMIT_NAME 31u          /* bytes of a name, without its terminating zero */
#define LIMIT_SOURCE 95u        /* bytes of a place such as "line.yaml:14", without its zero */
#define LIMIT_BATCH 16u         /* entries of one conversion call */
#define LIMIT_IN_FLIGHT 1024u   /* conversions in flight of one channel */

#define FRAME_LONGEST_NS 1000000000ull
#define COST_TURN 350u /* ns: the ways into a turn and out of it, see limits.h */

#endif
