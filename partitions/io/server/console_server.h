/* SPDX-License-Identifier: Apache-2.0
 *
 * The console server: many clients on one serial line. Each line of output
 * begins with "name| ", which the server writes and no client can: whatever a
 * client sends, no control character of it reaches the line. Input goes to the
 * selected client, a line at a time.
 */
#ifndef PARCLOSE_IO_CONSOLE_SERVER_H
#define PARCLOSE_IO_CONSOLE_SERVER_H

#include "../drivers/console.h"
#include "descriptor.h"
#include "virtqueue.h"
#include "window.h"

#define CONSOLE_CLIENTS 64u
#define CONSOLE_LINE 240u /* characters of a client's line; a longer one goes on in the next */
#define CONSOLE_LINE_ROOM (2 * LIMIT_NAME + CONSOLE_LINE + 16u) /* prefix, text and line ends */
#define CONSOLE_BURST 512u             /* bytes taken from one client before the next is looked at */
#define CONSOLE_CHAINS 64u             /* buffers, likewise */
#define CONSOLE_INPUT 256u             /* bytes waiting for a client; a power of two */
#define CONSOLE_EDIT 128u              /* characters of the line being typed */
#define CONSOLE_PATIENCE_NS 500000000u /* a line without an end is shown after this */

struct console_server;

struct console_client {
  struct console_server *server;
  const char *name;
  struct window window;
  struct session session;
  struct virtqueue_device to_client, from_client;
  uint32_t index; /* for calls */
  bool pending;   /* its queues may hold something to do */
  bool broken;    /* nothing is taken until its next epoch */
  bool wants_signal;
  /* output */
  bool has_chain, carriage;  /* carriage: a CR came, what follows decides */
  uint32_t buffer, position; /* in the chain: the next byte */
  struct virtqueue_chain chain;
  bool complete; /* the line waits for room */
  uint32_t length;
  uint64_t show_at; /* a line without an end, ticks; NEVER: none */
  char line[CONSOLE_LINE];
  /* input */
  uint32_t input_head, input_tail; /* free-running */
  char input[CONSOLE_INPUT];
};

struct console_server {
  struct console_device *device;
  const char *own_name;
  struct console_client *client[CONSOLE_CLIENTS];
  uint32_t clients;
  uint32_t selected;
  uint32_t next;    /* the client that is looked at first */
  bool attention;   /* run has something to do */
  bool interrupted; /* the device wants to be served */
  uint64_t show_at; /* the earliest of its clients', ticks */
  /* the line being typed */
  bool command, last_was_return; /* command: the key after Ctrl-A */
  bool shown;                    /* the terminal's last line is the one being typed */
  uint32_t edit_length;
  char edit[CONSOLE_EDIT];
};

void console_server_init(struct console_server *server, struct console_device *device, const char *own_name);
bool console_client_init(struct console_client *client, struct console_server *server,
                         const struct channel_descriptor *descriptor, uint32_t life); /* false: too many */

void console_client_event(struct console_client *client);
void console_server_interrupt(struct console_server *server);

/* Moves text both ways, a burst for each client. Returns whether more could be done at once. */
bool console_server_run(struct console_server *server);

/* When run wants to be called without an event, ticks. */
uint64_t console_server_deadline(const struct console_server *server);

/* One line of the I/O partition itself; dropped where there is no room. */
void console_server_say(struct console_server *server, const char *subject, const char *text);

/* --- between the files of the console server --- */

/* console_line.c */
bool console_line_put(struct console_client *client, char byte); /* false: byte not taken, the line waits for room */
bool console_line_show(struct console_client *client);           /* the line as it is; false: no room */
void console_emit(struct console_server *server, const char *name, const char *mark, const char *text, uint32_t length);
bool console_room(const struct console_server *server);
/* console_input.c */
void console_input(struct console_server *server, uint8_t byte);
void console_input_deliver(struct console_client *client);

#endif
