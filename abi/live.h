/* SPDX-License-Identifier: Apache-2.0
 *
 * Live words: the one small word of state of each row that has one. The monitor
 * changes them, each with one atomic step; the manager reads them by CALL_STATE.
 */
#ifndef PARCLOSE_LIVE_H
#define PARCLOSE_LIVE_H

#include <stdint.h>

enum live { LIVE_PARTITION, LIVE_DESCRIPTOR, LIVE_CHANNEL, LIVE_COUNT };

/* Partition: state in bits 0-7, refusal in 8-15, PARTITION_ANEW, life in 32-63. */
enum partition_state {
  PARTITION_FREE = 0,    /* never started */
  PARTITION_RUNNING = 1, /* runs in its frames */
  PARTITION_STOPPED = 2, /* ended, faulted or stopped; the fault record says which */
  PARTITION_WAITING = 3  /* until an event or a time */
};
#define PARTITION_ALIVE 1u      /* the bit that running and waiting have in common */
#define PARTITION_WAITS 2u      /* the bit that a wait adds */
#define PARTITION_ANEW 0x10000u /* this life has not begun: its registers are set when it is first switched in */
#define LIVE_STATE(word) ((uint32_t)((word)&0xff))
#define LIVE_REFUSAL(word) ((uint32_t)(((word) >> 8) & 0xff)) /* enum status of the last refused start */
#define LIVE_LIFE(word) ((uint32_t)((word) >> 32))            /* 0 before the first start */

/* Descriptor: 0 free; otherwise 1 + the partition it is assigned to. */
enum { DESCRIPTOR_FREE = 0 };

/* Channel: state in bits 0-7, conversions in flight in 8-31, the client's life in 32-63 (CHANNEL_LIFE). */
enum channel_state {
  CHANNEL_FREE,      /* an end is not assigned */
  CHANNEL_ALLOCATED, /* both ends assigned, the client not running */
  CHANNEL_CONNECTED, /* the client runs; its requests may be converted */
  CHANNEL_DRAINING,  /* the client stopped with conversions in flight */
};
/* The life of its client as a channel has it, and as requests and conversions name it: no two channels agree in it for a million
   lives. So a server that takes one channel for another is refused. */
#define CHANNEL_LIFE_SHIFT 20
#define CHANNEL_LIFE(channel, life) ((uint32_t)(life) + ((uint32_t)(channel) << CHANNEL_LIFE_SHIFT))
#define LIVE_IN_FLIGHT(word) ((uint32_t)(((word) >> 8) & 0xffffff))

#endif
