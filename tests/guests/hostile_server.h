/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that means no good, and its client. The client tells through the window which regions it has; the
 * server then asks for conversions that it has no right to.
 */
#ifndef HOSTILE_SERVER_H
#define HOSTILE_SERVER_H

#include "hostile.h"
#include "live.h"

#define CONFESSED 0x5345594cu

/* In the page of request headers, which these two do not use for requests. */
struct confession {
  volatile uint32_t magic;
  volatile uint32_t go; /* the server has done what it wants to do while the client lives */
  uint32_t count;
  struct region_descriptor region[8];
};

static inline struct confession *confession(const struct channel_descriptor *channel) {
  return (struct confession *)((struct channel_window *)channel->address)->request;
}

/* The channels that this partition serves, by the client's name. */
__attribute__((unused)) static const struct channel_descriptor *served(const char *client) {
  const struct descriptor_page *page = DESCRIPTOR_PAGE;
  const struct channel_descriptor *row = (const void *)((const char *)page + page->channels.offset);
  for (uint32_t i = 0; i < page->channels.count; i++)
    if (row[i].end == END_SERVER && strcmp(row[i].peer, client) == 0)
      return &row[i];
  return NULL;
}

__attribute__((unused)) static uint64_t state_of(const struct channel_descriptor *channel) {
  return monitor_channel(channel->index).value;
}

/* Waits until the client has confessed its regions; the one of that kind. */
__attribute__((unused)) static struct region_descriptor client_region(const struct channel_descriptor *channel,
                                                                      enum region_kind kind) {
  struct confession *found = confession(channel);
  while (found->magic != CONFESSED)
    sleep_ns(200000);
  for (uint32_t i = 0; i < found->count; i++)
    if (found->region[i].kind == kind)
      return found->region[i];
  return (struct region_descriptor){0};
}

__attribute__((unused)) static enum status convert(const struct channel_descriptor *channel, uint32_t life_asked,
                                                   struct convert_entry entry) {
  CALL_PAGE->convert[0] = entry;
  attempting("to convert %llx+%x, offset %llx, access %u, life %u", (unsigned long long)entry.address, entry.length,
             (unsigned long long)entry.offset, entry.access, life_asked);
  return monitor_convert(channel->index, 1, life_asked).status;
}

/* A conversion for the client's present life. */
__attribute__((unused)) static void convert_must_be(enum status expected, const struct channel_descriptor *channel,
                                                    struct convert_entry entry) {
  must_be(expected, convert(channel, LIVE_LIFE(state_of(channel)), entry));
}

__attribute__((unused)) static void let_go(const struct channel_descriptor *channel) {
  confession(channel)->go = 1;
}

__attribute__((unused)) static void wait_for_go(const struct channel_descriptor *channel) {
  while (!confession(channel)->go)
    sleep_ns(200000);
}

/* A conversion that must succeed, so that the refusal of its wild sister says something. */
__attribute__((unused)) static void fair(const struct channel_descriptor *channel) {
  struct region_descriptor data = client_region(channel, REGION_DATA);
  struct convert_entry entry = {.address = data.address, .length = 512, .access = RIGHT_WRITE};
  enum status status = convert(channel, LIVE_LIFE(state_of(channel)), entry);
  say("fair %d", status);
  monitor_release(channel->index, 1);
}

#endif
