/* SPDX-License-Identifier: Apache-2.0
 *
 * The e1000e driver alone with its card: frames of the type 0x88b5 (IEEE 802,
 * for experiments), or UDP in IPv4, tell it what to do in the first bytes of
 * their data, and go back to who sent them.
 *
 *   E          as they are           S n      in n segments
 *   C s o      with the checksum from byte s on, at s + o
 *   F n …      after the filter is set to n addresses
 *   R          after a reset with all that is under way
 *   T          with the counters     X        and the program ends
 *   B          not at all: a fault ends this life, with what is under way
 *
 * The fourth byte goes back as whether the card found the checksum right.
 */
#include "../../partitions/io/drivers/e1000e.h"
#include "../../partitions/io/drivers/pause.h"
#include "monitor.h"
#include "parclose.h"

#define BUFFERS 200u
#define BATCH 64u
#define HEADER 14u
#define UDP_HEADERS 28u

static struct e1000e state __attribute__((aligned(64)));
static struct e1000e_memory memory;
static uint8_t buffer[BUFFERS][2048] __attribute__((aligned(4096)));
static struct network_device *card;
static uint64_t bias;
static bool link_up;

/* Goes out as it stands here, little-endian; tests/test_card.py has the names. */
static struct counters {
  uint32_t received, sent, errors, last_error, lost_out, lost_in, queue_interrupts, link_interrupts;
  uint64_t in_ticks, out_ticks; /* in the driver */
} counters;

void driver_pause(void) {
  sleep_ns(1000000000ull / PAUSES_PER_SECOND);
}

static bool fail(const char *why) {
  printf("failed: %s\n", why ? why : "?");
  return false;
}

/* --- set-up --- */

static uint64_t find_bias(void) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct region_descriptor *own = (const void *)((const char *)page + page->regions.offset);
  for (uint32_t i = 0; i < page->regions.count; i++)
    if ((uintptr_t)&memory - own[i].address < own[i].size)
      return own[i].device_address - own[i].address;
  return 0;
}

static struct network_segment segment_of(uint32_t slot, uint32_t start, uint32_t length) {
  return (struct network_segment){(uint64_t)(uintptr_t)&buffer[slot][start] + bias, length};
}

static void give(uint32_t slot) {
  if (card->driver->receive(card, segment_of(slot, 0, sizeof buffer[slot]), slot) != NETWORK_TAKEN)
    fail("a buffer was not taken");
}

static bool open_card(void) {
  const struct device_descriptor *nic = device("nic0");
  bias = find_bias();
  card = e1000e_open(&(struct driver_resources){nic, &state, &memory, bias});
  if (card->problem || !card->driver->reset(card))
    return fail(card->problem);
  if (monitor_quiet(nic->index) != STATUS_OK || !card->driver->start(card))
    return fail(card->problem);
  for (uint32_t i = 0; i < BUFFERS; i++)
    give(i);
  card->driver->commit(card);
  for (uint32_t i = 0; i < nic->interrupt_count; i++)
    monitor_acknowledge(nic->index, i);
  return true;
}

/* --- answers --- */

static uint32_t reply[BATCH], reply_length[BATCH], replies; /* plain ones: counted together */

static void send(uint32_t slot, const struct network_segment *segments, uint32_t count, struct network_checksum sum) {
  if (card->driver->transmit(card, segments, count, sum, slot) != NETWORK_TAKEN) {
    fail("a frame was not taken");
    give(slot);
  }
}

static void send_in_segments(uint32_t slot, uint32_t length, uint32_t count) {
  struct network_segment segment[NETWORK_SEGMENTS];
  uint32_t part = length / count;
  for (uint32_t i = 0; i < count; i++)
    segment[i] = segment_of(slot, i * part, i == count - 1 ? length - i * part : part);
  send(slot, segment, count, (struct network_checksum){0, 0});
}

static void send_plain(void) {
  uint64_t before = clock_now();
  for (uint32_t i = 0; i < replies; i++) {
    struct network_segment segment = segment_of(reply[i], 0, reply_length[i]);
    if (card->driver->transmit(card, &segment, 1, (struct network_checksum){0, 0}, reply[i]) != NETWORK_TAKEN)
      fail("a frame was not taken");
  }
  if (replies) {
    card->driver->commit(card);
    counters.out_ticks += clock_now() - before;
  }
  replies = 0;
}

static void reset_card(void) {
  if (!card->driver->reset(card) || !card->driver->start(card))
    fail(card->problem);
}

static void exchange_addresses(uint8_t *frame) {
  for (uint32_t i = 0; i < NETWORK_ADDRESS; i++) {
    uint8_t byte = frame[i];
    frame[i] = frame[NETWORK_ADDRESS + i];
    frame[NETWORK_ADDRESS + i] = byte;
  }
}

static void obey(uint32_t slot, uint32_t length, uint8_t *word, bool right) {
  exchange_addresses(buffer[slot]);
  word[3] = right;
  if (word[0] == 'S') {
    send_in_segments(slot, length, word[1]);
  } else if (word[0] == 'C') {
    struct network_segment segment = segment_of(slot, 0, length);
    send(slot, &segment, 1, (struct network_checksum){word[1], word[2]});
  } else {
    if (word[0] == 'F')
      card->driver->filter(card, (const uint8_t(*)[NETWORK_ADDRESS])(word + 4), word[1]);
    if (word[0] == 'R')
      reset_card();
    if (word[0] == 'X')
      exit(0);
    if (word[0] == 'B')
      __builtin_trap();
    if (word[0] == 'T')
      memcpy(word, &counters, sizeof counters);
    reply[replies] = slot;
    reply_length[replies++] = length;
  }
}

/* --- the loop --- */

static void take(const struct network_received *received) {
  uint8_t *frame = buffer[received->tag];
  uint32_t type = (uint32_t)frame[12] << 8 | frame[13];
  counters.errors += received->error != 0;
  if (received->error) {
    counters.lost_in += received->error == NETWORK_ERROR_RESET;
    counters.last_error = received->error;
    give(received->tag);
  } else if (type == 0x88b5 || type == 0x0800) {
    uint8_t *word = &frame[HEADER + (type == 0x0800 ? UDP_HEADERS : 0)];
    counters.received++;
    obey(received->tag, received->length, word, received->checksum_right);
  } else {
    give(received->tag);
  }
}

static uint32_t receive(void) {
  struct network_received received[BATCH];
  uint64_t before = clock_now();
  uint32_t count = card->driver->received(card, received, BATCH);
  counters.in_ticks += count ? clock_now() - before : 0;
  for (uint32_t i = 0; i < count; i++)
    take(&received[i]);
  send_plain();
  card->driver->commit(card);
  return count;
}

static uint32_t reclaim(void) {
  struct network_sent sent[BATCH];
  uint64_t before = clock_now(), between;
  uint32_t count = card->driver->sent(card, sent, BATCH);
  between = clock_now();
  for (uint32_t i = 0; i < count; i++)
    give(sent[i].tag);
  if (count) {
    card->driver->commit(card);
    counters.out_ticks += between - before;
    counters.in_ticks += clock_now() - between;
  }
  for (uint32_t i = 0; i < count; i++)
    counters.lost_out += sent[i].error == NETWORK_ERROR_RESET;
  counters.sent += count;
  return count;
}

static void look_at_link(void) {
  if (card->driver->link(card) != link_up)
    printf("link %s\n", (link_up = !link_up) ? "up" : "down");
}

static void interrupts(const struct device_descriptor *nic) {
  wait_any_event(NEVER);
  event_take(channel("console")->event); /* nobody waits for it now, and it would end every wait */
  for (uint32_t i = 0; i < nic->interrupt_count; i++) {
    if (!event_take(nic->first_event + i))
      continue;
    monitor_acknowledge(nic->index, i);
    counters.queue_interrupts += i == 0;
    counters.link_interrupts += i != 0;
    if (i)
      look_at_link();
  }
}

int main(void) {
  const struct device_descriptor *nic = device("nic0");
  if (!nic || !open_card())
    return 1;
  link_up = card->driver->link(card);
  const uint8_t *own = card->address;
  printf("ready, %x:%x:%x:%x:%x:%x, link %s, life %u\n", own[0], own[1], own[2], own[3], own[4], own[5],
         link_up ? "up" : "down", life());
  for (;;) {
    while (receive() + reclaim())
      continue;
    interrupts(nic);
  }
}
