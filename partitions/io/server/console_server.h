/* SPDX-License-Identifier: Apache-2.0
 *
 * The console server: many clients on one serial line. Each line of output
 * begins with "name| ", which the server writes and no client can: whatever a
 * client sends, no control character of it reaches the line. Input goes to the
 * selected client, a line at a time. A log is a client that only reads: all
 * lines, as they are shown.
 */
#ifndef PARCLOSE_IO_CONSOLE_SERVER_H
#define PARCLOSE_IO_CONSOLE_SERVER_H

#include "../drivers/console.h"
#include "console_store.h"
#include "descriptor.h"
#include "virtqueue.h"
#include "window.h"

#define CONSOLE_LINE 240u /* characters of a client's line; a longer one goes on in the next */
#define CONSOLE_LINE_ROOM (2 * LIMIT_NAME + CONSOLE_LINE + 16u) /* prefix, text and line ends */
#define CONSOLE_BURST 512u             /* bytes taken from one client before the next is looked at */
#define CONSOLE_CHAINS 64u             /* buffers, likewise */
#define CONSOLE_INPUT 256u             /* bytes waiting for a client */
#define CONSOLE_EDIT 128u              /* characters of the line being typed */
#define CONSOLE_PATIENCE_NS 500000000u /* a line without an end is shown after this */
#define CONSOLE_LOSS_NS 1000000000u    /* with a full buffer of its own, a client waits so long for the line */
#define CONSOLE_ESCAPE 1u              /* Ctrl-A, where the layout says nothing */

struct console_server;

struct console_client {
  struct console_server *server;
  const char *name;
  struct window window;
  struct session session;
  struct virtqueue_device to_client, from_client;
  uint32_t index; /* for calls */
  bool log;       /* it reads what the others say, and says nothing */
  bool pending;   /* its queues may hold something to do */
  bool broken;    /* nothing is taken until its next epoch */
  bool wants_signal, counted;
  struct channel_counters counters;
  /* output */
  bool has_chain, carriage;  /* carriage: a CR came, what follows decides */
  uint32_t buffer, position; /* in the chain: the next byte */
  struct virtqueue_chain chain;
  uint64_t taken_at;         /* the chain, ticks */
  struct console_store held; /* what the line had no room for; size 0: the client keeps it itself, and waits */
  uint64_t give_up_at;       /* the chain then waits no longer for room in `held`, ticks; NEVER: it does not wait */
  bool losing;               /* until all that is held was shown and the loss announced */
  uint32_t lost;             /* bytes, not announced yet */
  bool complete;             /* the line waits for room */
  uint32_t length;
  uint64_t show_at; /* a line without an end, ticks; NEVER: none */
  char line[CONSOLE_LINE];
  /* input; of a log, lines */
  struct console_store input;
  uint32_t missed; /* a log's lines, not announced yet */
  char typed[CONSOLE_INPUT];
};

/* What the menu still has to show, a line whenever there is room for it. */
enum console_menu_show { MENU_NOTHING, MENU_LIST, MENU_COUNTERS, MENU_CHOICE };

struct console_menu {
  bool open;       /* the next key is the menu's */
  uint32_t number; /* the digits typed so far */
  enum console_menu_show show;
  uint32_t next; /* client to show */
};

struct console_server {
  struct console_device *device;
  const char *own_name;
  struct console_client *client[LIMIT_IO_CONSOLE_CHANNELS];
  struct console_client *log[LIMIT_CONSOLE_LOGS];
  uint32_t clients, logs;
  uint32_t selected;
  uint32_t next;    /* the client that is looked at first */
  bool attention;   /* run has something to do */
  bool interrupted; /* the device wants to be served */
  uint64_t look_at; /* the earliest deadline of its clients, ticks */
  uint64_t now;     /* when this run began */
  struct console_menu menu;
  /* the line being typed */
  uint8_t escape;       /* the key that opens the menu */
  bool last_was_return; /* then a line feed is no second end */
  bool shown;           /* the terminal's last line is the one being typed */
  uint32_t edit_length;
  char edit[CONSOLE_EDIT];
};

void console_server_init(struct console_server *server, struct console_device *device, const char *own_name);
/* `memory`: descriptor->buffer bytes of ours. False: too many clients, or a log without memory. */
bool console_client_init(struct console_client *client, struct console_server *server,
                         const struct channel_descriptor *descriptor, uint32_t life, char *memory);

void console_client_event(struct console_client *client);
void console_server_interrupt(struct console_server *server);

/* Moves text both ways, a burst for each client. Returns whether more could be done at once. */
bool console_server_run(struct console_server *server);

/* When run wants to be called without an event, ticks. */
uint64_t console_server_deadline(const struct console_server *server);

/* One line of the I/O partition itself; dropped where there is no room. */
void console_server_say(struct console_server *server, const char *subject, const char *text);

/* --- between the files of the console server --- */

/* console_output.c */
bool console_output_take(struct console_client *client); /* whether more could be done at once */
void console_output_epoch(struct console_client *client);
/* console_line.c */
bool console_line_put(struct console_client *client, char byte); /* false: byte not taken, the line waits for room */
bool console_line_show(struct console_client *client);           /* the line as it is; false: no room */
void console_emit(struct console_server *server, const char *name, const char *mark, const char *text, uint32_t length);
bool console_room(const struct console_server *server);
/* console_input.c */
void console_input(struct console_server *server, uint8_t byte);
void console_input_deliver(struct console_client *client);
/* console_menu.c */
void console_menu_open(struct console_server *server);
void console_menu_key(struct console_server *server, uint8_t key);
void console_menu_run(struct console_server *server);
/* console_log.c */
void console_log_line(struct console_server *server, const char *name, const char *mark, const char *text,
                      uint32_t length);

void console_log_caught_up(struct console_client *log);

static inline void console_count(struct console_client *client, enum counter what, uint64_t more) {
  client->counters.count[what] += more;
  client->counted = true;
}

/* In an epoch that its client has not ended. */
static inline bool console_is_current(const struct console_client *client) {
  return !client->broken && session_current(&client->session, &client->window.shared->header);
}

#endif
