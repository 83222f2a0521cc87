/* SPDX-License-Identifier: Apache-2.0
 *
 * The console server's surroundings for its host tests: a line, and clients
 * whose buffers at the server are allocated to the byte.
 */
#ifndef IO_CONSOLE_MODEL_H
#define IO_CONSOLE_MODEL_H

#include "drivers/console.h"
#include "io_monitor_model.h"
#include "server/console_server.h"

#include <stddef.h>

#define DATA_AREA 8192u
#define SINK (32u << 20)
#define WINDOW (sizeof(struct channel_window) + DATA_AREA)

struct console_line {
  struct console_device console; /* first */
  uint32_t room;                 /* bytes taken before the line says that it is busy */
  uint32_t served, again;        /* interrupts served; how often once more is asked for */
  const char *keys;
};

struct client {
  struct console_client served;
  char *memory; /* its buffer at the server */
  struct channel_descriptor descriptor;
  struct channel_window *window;
  struct virtqueue_driver input, output;
  uint32_t index;
  char *data;
};

extern struct console_line line;
extern struct console_server server;
extern struct client client[MODEL_CHANNELS]; /* the first `clients` of begin */
extern const char *const NAMES[MODEL_CHANNELS];
extern char *sink; /* what the line has shown; SINK bytes, the test's to allocate */
extern uint32_t sunk;

void begin(uint32_t clients);
/* From client `unbuffered` on they have buffers of `size`; from client `speakers` on they are logs. */
void begin_with_buffers(uint32_t clients, uint32_t unbuffered, uint32_t size);
void begin_with_logs(uint32_t clients, uint32_t speakers, uint32_t size);

void run(void);                                                         /* until the server has nothing more to do */
void client_begin(struct client *one);                                  /* its next epoch */
bool send_bytes(struct client *one, const char *text, uint32_t length); /* one buffer; false: the queue is full */
void say(struct client *one, const char *text);
bool all_taken(struct client *one);
void expect(const char *text); /* all that was shown since the last look */
bool shown(const char *text);
void give_buffer(struct client *one, uint32_t length);
void type(const char *keys);
void expect_input(struct client *one, const char *text);

#endif
