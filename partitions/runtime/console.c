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

bool console_open(struct console *console, const struct channel_descriptor *channel) {
  console->input_start = console->input_end = 0;
  if (channel && (channel->class != CLASS_CONSOLE || channel->end != END_CLIENT))
    channel = NULL;
  if (channel)
    settle(channel);
  return pair_open(&console->pair, channel, PAIR_SLOTS, CONSOLE_SLOT);
}

size_t console_write(struct console *console, const void *text, size_t size, uint64_t deadline) {
  size_t done = 0;
  while (done < size) {
    size_t piece = size - done < CONSOLE_SLOT ? size - done : CONSOLE_SLOT;
    if (pair_send(&console->pair, (const char *)text + done, piece, deadline) != STATUS_OK)
      break;
    done += piece;
  }
  return done;
}

bool console_drain(struct console *console, uint64_t deadline) {
  return pair_drain(&console->pair, deadline);
}

/* False: the deadline came. */
static bool more_input(struct console *console, uint64_t deadline) {
  uint32_t length = console->input_end - console->input_start;
  memmove(console->input, console->input + console->input_start, length);
  console->input_start = 0;
  console->input_end = length;
  int more = pair_receive(&console->pair, console->input + length, sizeof console->input - length, deadline);
  if (more > 0)
    console->input_end += (uint32_t)more;
  return more >= 0;
}

size_t console_read(struct console *console, char *text, size_t size, uint64_t deadline) {
  while (console->input_start == console->input_end)
    if (!more_input(console, deadline))
      return 0;
  size_t length = console->input_end - console->input_start;
  if (length > size)
    length = size;
  memcpy(text, console->input + console->input_start, length);
  console->input_start += (uint32_t)length;
  return length;
}

/* Bytes up to the first line end in the input, which is counted; 0: there is none, and room for one more piece. */
static uint32_t line_length(const struct console *console) {
  for (uint32_t i = console->input_start; i < console->input_end; i++)
    if (console->input[i] == '\n' || console->input[i] == '\r')
      return i - console->input_start + 1;
  uint32_t length = console->input_end - console->input_start;
  return length + CONSOLE_SLOT > sizeof console->input ? length : 0;
}

int console_read_line(struct console *console, char *line, size_t size, uint64_t deadline) {
  uint32_t taken;
  while ((taken = line_length(console)) == 0)
    if (!more_input(console, deadline))
      return -1;
  const char *start = console->input + console->input_start;
  uint32_t length = start[taken - 1] == '\n' || start[taken - 1] == '\r' ? taken - 1 : taken;
  console->input_start += taken;
  if (size == 0)
    return 0;
  if (length > size - 1)
    length = (uint32_t)size - 1;
  memcpy(line, start, length);
  line[length] = 0;
  return (int)length;
}
