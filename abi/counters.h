/* SPDX-License-Identifier: Apache-2.0
 *
 * What a channel's server counts. The server keeps the numbers in its own
 * memory and copies them into the window's first page: the client may read
 * them there, and what it writes there is nobody's business but its own.
 */
#ifndef PARCLOSE_COUNTERS_H
#define PARCLOSE_COUNTERS_H

#include <stdint.h>

enum counter {
  COUNT_REQUESTS, /* requests done; of a network: frames of the client's that went out */
  COUNT_BYTES,    /* that they moved */
  COUNT_RECEIVED, /* frames, or pieces of input, given to the client */
  COUNT_RECEIVED_BYTES,
  COUNT_ERRORS,      /* requests that the device failed */
  COUNT_WORST_TICKS, /* the longest that a request was with the server */
  /* Refused: by the first rule that a request breaks. */
  COUNT_BAD_RING,        /* an index that leaves the ring */
  COUNT_BAD_CHAIN,       /* too long, indirect, or a readable buffer after a writable one */
  COUNT_BAD_HEADER,      /* the header or the status is not in the channel, or makes no sense */
  COUNT_BAD_LENGTH,      /* no data, too much, or too small a buffer */
  COUNT_BAD_RANGE,       /* memory that is not the client's */
  COUNT_NO_RIGHT,        /* memory or an endpoint without that right */
  COUNT_OUTSIDE_EXTENT,  /* beyond the endpoint */
  COUNT_UNALIGNED,       /* no whole blocks */
  COUNT_OVER_QUOTA,      /* more conversions than it may ever have */
  COUNT_UNSUPPORTED,     /* a type of request that the endpoint does not have */
  COUNT_FALSE_SOURCE,    /* a frame from another address than the channel's */
  COUNT_OWN_TAG,         /* a frame with a VLAN tag of the client's making */
  COUNT_NOBODY,          /* a frame to somebody who is not there, or to whom it may not talk */
  COUNT_OUTSIDE_CHANNEL, /* a frame for another guest with its payload outside the channel, or a console's buffer */
  /* Dropped on the way to the client, or from it. */
  COUNT_NO_BUFFER,      /* it had no buffer for a frame, or a typed line, to it */
  COUNT_LINK_DOWN,      /* a frame to a wire that is not there */
  COUNT_FORGED_BY_WIRE, /* a frame from the wire with this client's address as its source */
  COUNT_LOST_AT_RESET,  /* under way when the device was reset */
  COUNT_LOST_BYTES,     /* of a console: text that its line, or its log, had no room for */
  COUNTERS
};

#define COUNTER_ROOM 64u

struct channel_counters {
  uint64_t count[COUNTER_ROOM]; /* by enum counter */
};

_Static_assert(COUNTERS <= COUNTER_ROOM, "the window has room for all");

#endif
