/* SPDX-License-Identifier: Apache-2.0
 *
 * A console channel: output goes into the data area piece by piece, input comes
 * back in pieces.
 */
#include "runtime.h"

#define SETTLE_NS 20000000ull /* the longest that a new life waits for its last one's output */

/* The last words of an earlier life still stand in the rings: a new epoch would wipe them out. */
static void settle(const struct channel_descriptor *channel) {
  struct channel_window *window = (struct channel_window *)channel->address;
  struct channel_queue *queue = &window->queue[1];
  uint64_t deadline = deadline_in_ns(SETTLE_NS);
  if (life() == 1 || __atomic_load_n(&window->header.magic, __ATOMIC_ACQUIRE) != CHANNEL_MAGIC)
    return;
  while (__atomic_load_n(&queue->used.idx, __ATOMIC_ACQUIRE) != __atomic_load_n(&queue->avail.idx, __ATOMIC_ACQUIRE))
    if (!wait_event(channel->event, deadline))
      return;
}

/* Whether this is the channel's present session: opening it once more would wipe the rings out under its other users. */
static bool is_open(const struct console_state *state, const struct channel_descriptor *channel) {
  const struct channel_header *header = (const struct channel_header *)channel->address;
  return state->pair.channel == channel && header->magic == CHANNEL_MAGIC && header->epoch == state->pair.epoch;
}

bool console_open(struct console *console, const struct channel_descriptor *channel) {
  static struct console_state of_print;
  console->state = NULL;
  if (!channel || channel->class != CLASS_CONSOLE || channel->end != END_CLIENT)
    return false;
  struct console_state *state = channel == console_of_print() ? &of_print : &console->own;
  if (state == &console->own || !is_open(state, channel)) {
    settle(channel);
    *state = (struct console_state){0};
    if (!pair_open(&state->pair, channel, PAIR_SLOTS, CONSOLE_SLOT))
      return false;
  }
  console->state = state;
  return true;
}

static bool reads_only(const struct console *console) {
  return console->state->pair.channel->rights == RIGHT_READ;
}

size_t console_write(struct console *console, const void *text, size_t size, uint64_t deadline) {
  size_t done = 0;
  if (!console->state || reads_only(console))
    return 0;
  while (done < size) {
    size_t piece = size - done < CONSOLE_SLOT ? size - done : CONSOLE_SLOT;
    if (pair_send(&console->state->pair, (const char *)text + done, piece, deadline) != STATUS_OK)
      break;
    done += piece;
  }
  return done;
}

bool console_drain(struct console *console, uint64_t deadline) {
  return !console->state || pair_drain(&console->state->pair, deadline);
}

/* False: the deadline came. */
static bool more_input(struct console_state *state, uint64_t deadline) {
  uint32_t length = state->input_end - state->input_start;
  memmove(state->input, state->input + state->input_start, length);
  state->input_start = 0;
  state->input_end = length;
  int more = pair_receive(&state->pair, state->input + length, sizeof state->input - length, deadline);
  if (more > 0)
    state->input_end += (uint32_t)more;
  return more >= 0;
}

size_t console_read(struct console *console, char *text, size_t size, uint64_t deadline) {
  struct console_state *state = console->state;
  if (!state)
    return 0;
  while (state->input_start == state->input_end)
    if (!more_input(state, deadline))
      return 0;
  size_t length = state->input_end - state->input_start;
  if (length > size)
    length = size;
  memcpy(text, state->input + state->input_start, length);
  state->input_start += (uint32_t)length;
  return length;
}

/* Bytes up to the first line end in the input, which is counted; 0: there is none, and room for one more piece. */
static uint32_t line_length(const struct console_state *state) {
  for (uint32_t i = state->input_start; i < state->input_end; i++)
    if (state->input[i] == '\n' || state->input[i] == '\r')
      return i - state->input_start + 1;
  uint32_t length = state->input_end - state->input_start;
  return length + CONSOLE_SLOT > sizeof state->input ? length : 0;
}

int console_read_line(struct console *console, char *line, size_t size, uint64_t deadline) {
  struct console_state *state = console->state;
  uint32_t taken;
  if (!state)
    return -1;
  while ((taken = line_length(state)) == 0)
    if (!more_input(state, deadline))
      return -1;
  const char *start = state->input + state->input_start;
  uint32_t length = start[taken - 1] == '\n' || start[taken - 1] == '\r' ? taken - 1 : taken;
  state->input_start += taken;
  if (size == 0)
    return 0;
  if (length > size - 1)
    length = (uint32_t)size - 1;
  memcpy(line, start, length);
  line[length] = 0;
  return (int)length;
}
