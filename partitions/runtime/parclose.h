/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program in a partition works with. Nothing here is a number of the
 * layout: a program asks for its resources by the names that the layout gives them.
 *
 *   struct block disk;
 *   block_open(&disk, channel("disk"));
 *   if (block_read(&disk, 0, buffer, sizeof buffer) != BLOCK_OK)
 *     printf("disk: no answer\n");
 *
 * Addresses of buffers are the program's own; the monitor converts them. Times
 * are ticks of the processor's clock; a deadline is a point in time, NEVER is none.
 */
#ifndef PARCLOSE_H
#define PARCLOSE_H

#if defined(__cplusplus) && !defined(PARCLOSE_HPP)
#error "C++ programs include parclose.hpp, of the kit that `parclose sdk` writes"
#endif

#include "address.h"
#include "call.h"
#include "channel.h"
#include "clock.h"
#include "descriptor.h"
#include "virtqueue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- this partition --- */

#define DESCRIPTOR_PAGE ((const struct descriptor_page *)DESCRIPTOR_ADDRESS)

static inline const char *partition_name(void) {
  return DESCRIPTOR_PAGE->partition;
}

/* Counted from 1; a restart is the next life, in which memory is as at the first. */
uint32_t life(void);

/* Ends this partition; 0 is success. What was printed is written out before. */
_Noreturn void exit(int status);

/* What the layout grants under this name; null where it grants nothing. */
const struct channel_descriptor *channel(const char *name);
const struct device_descriptor *device(const char *name);
const struct region_descriptor *region(const char *name);
const void *config(const char *name, size_t *size); /* the file's bytes; `size` may be null */

/* Memory between the end of the program's data and the end of its partition's memory: the program's to use. */
void *heap_start(void);
void *heap_end(void);

/* --- time --- */

static inline uint64_t clock_now(void) {
  return __builtin_ia32_rdtsc();
}
uint64_t clock_frequency(void); /* ticks a second */
uint64_t ticks_to_ns(uint64_t ticks);
uint64_t ticks_to_us(uint64_t ticks);
uint64_t ns_to_ticks(uint64_t nanoseconds);
uint64_t deadline_in_ns(uint64_t nanoseconds); /* from now; UINT64_MAX: NEVER */
uint64_t uptime_ns(void);                      /* since the manager was entered */
void wait_until(uint64_t deadline);            /* events that come meanwhile are kept */
void sleep_ns(uint64_t nanoseconds);
void yield(void); /* gives up the rest of this turn */

/* --- events: what channels and devices signal --- */

/* Whether it came; it is taken. */
bool event_take(unsigned event);
/* Until it comes, and takes it; others that come meanwhile are kept. False: the deadline came. */
bool wait_event(unsigned event, uint64_t deadline);
/* Until some event is there for event_take. */
bool wait_any_event(uint64_t deadline);
/* Signals the channel, then wait_event, in one call of the monitor. */
bool signal_and_wait_event(uint32_t channel, unsigned event, uint64_t deadline);

/* --- text --- */

/* format(text, size, form, …): %s %c %d %i %u %x %X %p %%, with l, ll, z, width, '-', '0' and a precision for %s. Returns the
   length without the final zero, even where `size` was too small and the text was cut. vformat takes a va_list. */
#include "format.h"

/* To the channel "console", else the first console channel that is no log, else the debug port where it is granted. Whole lines go out;
   waits while the console is busy. A console that takes nothing for PRINT_PATIENCE_NS is given up until it lives again. */
#define PRINT_PATIENCE_NS 10000000000ull
void print(const char *text);
int printf(const char *form, ...) __attribute__((format(printf, 1, 2)));
void print_flush(void);    /* until everything has reached the console's server */
uint64_t print_lost(void); /* bytes that nobody took */

/* --- a disk: a block channel --- */

enum block_result {
  BLOCK_OK,
  BLOCK_PENDING,     /* not finished yet */
  BLOCK_ERROR,       /* the device failed, or the server refused the request */
  BLOCK_LOST,        /* the server was restarted: not known whether it was done. Submit it again */
  BLOCK_TIMEOUT,     /* no answer; a device may still use the buffer until the server answers or is restarted */
  BLOCK_INVALID,     /* outside the extent, no multiple of the block size, not permitted, or not open */
  BLOCK_UNSUPPORTED, /* the device cannot discard, or write zeroes */
};

#define BLOCK_PIECE 0x100000u   /* bytes of one request that moves data; longer transfers are cut */
#define BLOCK_RANGE 0x40000000u /* bytes of one request that moves none */
#define BLOCK_DEPTH 42u         /* requests under way: three descriptors each */
#define BLOCK_TIMEOUT_NS 30000000000ull

/* One request, the caller's until it is submitted and again when result is no longer BLOCK_PENDING. */
struct block_request {
  uint32_t type;   /* VIRTIO_BLK_T_IN, _OUT, _FLUSH, _DISCARD, _WRITE_ZEROES; and BLOCK_THROUGH, BLOCK_UNMAP */
  uint32_t size;   /* bytes, at most BLOCK_PIECE, of the last two BLOCK_RANGE; a multiple of the block size */
  uint64_t offset; /* bytes from the start of the extent */
  void *buffer;    /* _IN, _OUT */
  enum block_result result;
};

/* Added to a type. */
#define BLOCK_THROUGH 0x80000000u /* _OUT: on the medium before it is done; the others need a flush for that */
#define BLOCK_UNMAP 0x40000000u   /* _WRITE_ZEROES: the device may take the blocks back */

struct block {
  const struct channel_descriptor *channel;
  struct channel_window *window;
  struct virtqueue_driver queue;
  uint32_t epoch;
  uint32_t in_flight;
  bool untold;                               /* the server has not been told of the last ones yet */
  uint64_t timeout_ns;                       /* of block_read, block_write and block_flush */
  struct block_request *request[QUEUE_SIZE]; /* by head */
  struct block_request piece[BLOCK_DEPTH];   /* of the synchronous calls */
};

bool block_open(struct block *block, const struct channel_descriptor *channel); /* false: no block channel of ours */
uint64_t block_capacity(const struct block *block);                             /* bytes */
/* These survive a restart of the server: what was lost with it is done once more, until block->timeout_ns are over. */
enum block_result block_read(struct block *block, uint64_t offset, void *buffer, size_t size);
enum block_result block_write(struct block *block, uint64_t offset, const void *buffer, size_t size);
enum block_result block_write_through(struct block *block, uint64_t offset, const void *buffer, size_t size);
enum block_result block_flush(struct block *block);
/* What is read there afterwards is anything, until it is written again. */
enum block_result block_discard(struct block *block, uint64_t offset, uint64_t size);
enum block_result block_zeroes(struct block *block, uint64_t offset, uint64_t size, bool unmap);

/* What the server says of the endpoint, as virtio has it: bit VIRTIO_BLK_F_… of features, disk.h. False: it does not serve us yet. */
bool block_config(const struct block *block, struct virtio_blk_config *config, uint64_t *features);

/* Many at once: submit up to BLOCK_DEPTH, then poll or wait, which tell the server; results appear in the requests. */
bool block_submit(struct block *block, struct block_request *request); /* false: no room now */
/* Returns how many finished. */
unsigned block_poll(struct block *block);
/* The same, and waits until one has. 0: the deadline came, or nothing is under way. */
unsigned block_wait(struct block *block, uint64_t deadline);

/* --- two-way channels: slots of a fixed size in the data area, half of them for each direction --- */

#define PAIR_SLOTS 64u

/* Server: a chain that was taken and not yet given back. */
struct pair_held {
  uint8_t *place; /* in our view of the window; null: none */
  uint32_t length, epoch;
  uint16_t head;
};

struct pair {
  const struct channel_descriptor *channel;
  struct channel_window *window;
  uint32_t slot_size, slots; /* of each direction; 0 slots: not open */
  uint32_t epoch;            /* client */
  uint32_t sent;             /* client: messages ever put into slots */
  struct virtqueue_driver driver[CHANNEL_QUEUES];
  uint8_t slot_of[CHANNEL_QUEUES][QUEUE_SIZE]; /* client: by head */
  uint32_t length[PAIR_SLOTS];                 /* client: of what waits in this slot for the server; 0: slot free */
  uint32_t arrived[PAIR_SLOTS];                /* client: 1 + length of a message in this slot; 0: lent to the server */
  uint8_t inbox[PAIR_SLOTS];                   /* client: those slots in order, a ring */
  uint32_t inbox_start, inbox_end;             /* free-running */
  struct session session;                      /* server */
  struct virtqueue_device device[CHANNEL_QUEUES];
  struct pair_held held[CHANNEL_QUEUES]; /* server */
};

/* --- a console --- */

#define CONSOLE_SLOT 256u

struct console_state {
  struct pair pair;
  uint32_t input_start, input_end;
  char input[2 * CONSOLE_SLOT];
};

struct console {
  struct console_state *state; /* null: not open */
  struct console_state own;    /* of a channel that print does not use */
};

/* False: no console channel of ours. On the channel that print uses, every struct console is the same open console: what one
   does not read another may, and lines go out in the order of the calls. On any other channel the last one opened has it. */
bool console_open(struct console *console, const struct channel_descriptor *channel);
/* Returns the bytes taken: all, unless the deadline came before there was room. */
size_t console_write(struct console *console, const void *text, size_t size, uint64_t deadline);
bool console_drain(struct console *console,
                   uint64_t deadline); /* until the server has taken all; false: the deadline came */
/* Input: what is there, at most `size` bytes; 0: the deadline came. */
size_t console_read(struct console *console, char *text, size_t size, uint64_t deadline);
/* A line without its end, zero-terminated, cut to size - 1. Returns its length; -1: the deadline came (what came is kept). */
int console_read_line(struct console *console, char *line, size_t size, uint64_t deadline);

/* --- messages between guests: the same functions at both ends --- */

struct peer {
  struct pair pair;
};

bool peer_open(struct peer *peer, const struct channel_descriptor *channel); /* false: no channel between guests */
size_t peer_limit(const struct peer *peer);                                  /* bytes of the longest message */
/* STATUS_OK: it stands in the channel, in order. It is lost only if the end that declares the channel is restarted before
   it was received.
   STATUS_TIMEOUT: no room, or nobody at the other end yet. STATUS_BAD_ARGUMENT: empty, too long, or not open. */
enum status peer_send(struct peer *peer, const void *message, size_t size, uint64_t deadline);
/* Returns the message's length, cut to `size`; -1: the deadline came. */
int peer_receive(struct peer *peer, void *buffer, size_t size, uint64_t deadline);

/* The same without a copy of ours: the message is made, and read, where it stands in the channel.
   Reserve gives room for peer_limit bytes, and the same again until the commit; peek the oldest message, and the same again
   until it is done. Null: the deadline came. The other end can write there at any time: a reader that must not be deceived
   copies first what it decides by. */
void *peer_reserve(struct peer *peer, uint64_t deadline);
const void *peer_peek(struct peer *peer, size_t *size, uint64_t deadline);
/* STATUS_OK: sent; the room is given up. STATUS_STALE_LIFE: the other end was restarted since the reservation and knows nothing of
   it: reserve once more. STATUS_BAD_ARGUMENT: nothing is reserved, or empty, or too long. */
enum status peer_commit(struct peer *peer, size_t size);
/* STATUS_OK: the room is given back. STATUS_STALE_LIFE: the other end was restarted meanwhile: what was read may be half of
   something new. STATUS_BAD_ARGUMENT: there was no peek. */
enum status peer_done(struct peer *peer);

/* --- a network: Ethernet frames, from destination address to the end of the payload --- */

#define NETWORK_SLOTS 64u /* frames in each direction that wait in the channel at most */

/* A frame that is sent from where it stands: not to be changed while it is `busy`. */
struct network_loan {
  bool busy;
};

struct network {
  const struct channel_descriptor *channel;
  struct channel_window *window;
  uint32_t epoch;
  uint32_t slots; /* of each direction; 0: not open */
  struct virtqueue_driver receive, transmit;
  uint8_t receive_slot[QUEUE_SIZE], transmit_slot[QUEUE_SIZE]; /* by head */
  struct network_loan *loan[QUEUE_SIZE];                       /* by head; null: a copy */
  uint8_t free[NETWORK_SLOTS];                                 /* slots for frames to go */
  uint32_t free_count;
  uint16_t arrived[NETWORK_SLOTS]; /* bytes of the frame in this slot; 0: lent to the server */
  uint8_t inbox[NETWORK_SLOTS];    /* those slots in order, a ring */
  uint32_t inbox_start, inbox_end; /* free-running */
  bool reserved, wide;
  uint8_t reserved_slot;
  bool untold; /* the server has not been told of the last frames yet */
};

bool network_open(struct network *network,
                  const struct channel_descriptor *channel);           /* false: no network channel of ours */
void network_address(const struct network *network, uint8_t *address); /* six bytes: ours */
bool network_link(const struct network *network); /* the wire is there, as far as we know; its change is an event */
uint64_t network_counted(const struct network *network, enum counter what); /* as the server says */

/* STATUS_OK: on its way, and the frame's memory free again. It may be lost, as on any wire.
   STATUS_TIMEOUT: no room. STATUS_BAD_ARGUMENT: no frame's size, or not open. */
enum status network_send(struct network *network, const void *frame, size_t size, uint64_t deadline);
/* Many at once: queue them, then flush. (network_peek and network_receive flush before they wait.) */
enum status network_queue(struct network *network, const void *frame, size_t size, uint64_t deadline);
void network_flush(struct network *network);
/* As network_queue, but a long frame to somebody beyond the wire is read by the card from where it stands: then loan->busy
   is set, and cleared by a later call here once the card has read it, or the server was restarted. */
enum status network_lend(struct network *network, struct network_loan *loan, const void *frame, size_t size,
                         uint64_t deadline);
bool network_settle(struct network *network, const struct network_loan *loan, uint64_t deadline); /* until not busy */
/* Likewise, of a TCP or UDP frame whose checksum is still to be made, over all bytes from `start` on: at start + offset stands the
   sum of the pseudo-header (not inverted). The card fills it in where it can, else this does, in the frame. */
enum status network_lend_checksum(struct network *network, struct network_loan *loan, void *frame, size_t size,
                                  size_t start, size_t offset, uint64_t deadline);
/* A frame that is made where it goes out: room for ETHERNET_FRAME bytes, the same again until the commit. Null: the deadline
   came. A commit only queues. */
void *network_reserve(struct network *network, uint64_t deadline);
enum status network_commit(struct network *network, size_t size);

/* Returns the frame's length, cut to `size`; -1: the deadline came. */
int network_receive(struct network *network, void *buffer, size_t size, uint64_t deadline);
/* The oldest frame where it stands, the same again until it is done. Null: the deadline came. */
const void *network_peek(struct network *network, size_t *size, uint64_t deadline);
void network_done(struct network *network);
/* Whether the card has found the oldest frame's TCP or UDP checksum right; it need not be looked at again. */
bool network_checked(const struct network *network);

/* --- bytes and strings --- */

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t size);
char *strchr(const char *text, int character);

#endif
