/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel's window as its server sees it. The client writes to it at any time.
 */
#ifndef PARCLOSE_IO_WINDOW_H
#define PARCLOSE_IO_WINDOW_H

#include "channel.h"

#include <stddef.h>
#include <stdint.h>

struct window {
  struct channel_window *shared;
  uint64_t size;
  uint64_t client_address; /* of the window at the client: ring addresses are the client's */
};

/* `length` bytes at the client's `address`, if all of them lie in the window; else null. */
static inline void *window_resolve(const struct window *window, uint64_t address, uint32_t length) {
  uint64_t offset = address - window->client_address;
  if (offset > window->size || length > window->size - offset)
    return NULL;
  return (uint8_t *)window->shared + offset;
}

#endif
