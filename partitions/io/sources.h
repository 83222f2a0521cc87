/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is meant by which event.
 */
#ifndef PARCLOSE_IO_SOURCES_H
#define PARCLOSE_IO_SOURCES_H

#include "calls.h"
#include "server/block_server.h"
#include "server/console_server.h"
#include "server/network_server.h"

enum source_kind {
  SOURCE_NONE,
  SOURCE_BLOCK_DEVICE,
  SOURCE_CONSOLE_DEVICE,
  SOURCE_NETWORK_DEVICE,
  SOURCE_BLOCK_CLIENT,
  SOURCE_CONSOLE_CLIENT,
  SOURCE_NETWORK_CLIENT
};

struct source {
  enum source_kind kind;
  union {
    struct block_server *block;
    struct console_server *console;
    struct network_server *network;
    struct block_channel *block_client;
    struct console_client *console_client;
    struct network_channel *network_client;
  };
  uint32_t device, interrupt; /* for calls, of a device */
};

void source_set(uint32_t event, struct source source);
void sources_dispatch(const struct events *events);

#endif
