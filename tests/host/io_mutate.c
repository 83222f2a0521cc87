/* SPDX-License-Identifier: Apache-2.0 */
#include "io_mutate.h"
#include "io_monitor_model.h"
#include "runtime_check.h"

#include <stddef.h>

#define CHANGES 4u
#define READS 120u /* of the server, among which a later change finds its place */

static uint64_t state;
static struct attack target;
static uint32_t later[CHANGES], waiting; /* reads to go before each change that waits */
static uint32_t rings, changes, between;
static bool busy; /* what the attacker reads itself is no read of the server's */

/* --- chance --- */

uint64_t mutate_any(void) { /* xorshift64 (Marsaglia, 2003) */
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

uint32_t mutate_below(uint32_t limit) {
  return (uint32_t)(mutate_any() >> 33) % limit;
}

uint32_t mutate_begin(int count, char **words) {
  CHECK(count == 3);
  state = strtoull(words[1], NULL, 0) * 0x9e3779b97f4a7c15ull | 1;
  return (uint32_t)strtoul(words[2], NULL, 0);
}

uint64_t mutate_address(void) {
  switch (mutate_below(9)) {
  case 0:
    return CLIENT_MEMORY + mutate_below(CLIENT_SIZE);
  case 1:
  case 2:
    return CLIENT_MEMORY + CLIENT_WRITABLE + 512 * mutate_below(128);
  case 3:
    return CLIENT_MEMORY + CLIENT_SIZE - mutate_below(1024);
  case 4:
    return CLIENT_WINDOW + mutate_below((uint32_t)target.size + 64);
  case 5:
    return CLIENT_WINDOW + target.size - mutate_below(32);
  case 6:
    return mutate_any() >> mutate_below(64);
  case 7:
    return -(uint64_t)mutate_below(4096);
  default:
    return CLIENT_WINDOW + sizeof(struct channel_window) + 16 * mutate_below(256);
  }
}

uint32_t mutate_length(void) {
  static const uint32_t LENGTHS[] = {0,       1,         11,    12,         16,          20,         25,
                                     26,      512,       1518,  1526,       4096,        1u + 12,    13 + 12,
                                     14 + 12, 9000 + 12, 65535, 0x7fffffff, 0x80000000u, 0xffffffffu};
  uint32_t which = mutate_below(sizeof LENGTHS / sizeof LENGTHS[0] + 1);
  return which < sizeof LENGTHS / sizeof LENGTHS[0] ? LENGTHS[which] : (uint32_t)mutate_any();
}

/* --- changes --- */

static void change_descriptor(struct virtq_desc *desc) {
  switch (mutate_below(8)) {
  case 0:
  case 1:
  case 2:
    desc->addr = mutate_address();
    break;
  case 3:
  case 4:
  case 5:
    desc->len = mutate_length();
    break;
  case 6:
    desc->flags = (uint16_t)(mutate_below(4) ? desc->flags ^ 1u << mutate_below(3) : mutate_any());
    break;
  default:
    desc->next = (uint16_t)(mutate_below(4) ? mutate_below(QUEUE_SIZE) : mutate_any());
  }
}

static void change_available(uint32_t queue) {
  struct virtq_avail *avail = &target.window->queue[queue].avail;
  switch (mutate_below(8)) {
  case 0:
  case 1:
    avail->idx = (uint16_t)(mutate_below(8) ? mutate_any() : avail->idx + 1 + mutate_below(2));
    break;
  case 2:
    avail->flags = (uint16_t)mutate_any();
    break;
  default:
    avail->ring[mutate_below(target.chains[queue])] =
        (uint16_t)(mutate_below(4) ? mutate_below(target.descriptors[queue]) : mutate_any());
  }
}

static void change_header(struct channel_header *header) {
  uint32_t *word = (uint32_t *)header;
  word[mutate_below(sizeof *header / 4)] = (uint32_t)(mutate_below(2) ? mutate_any() : mutate_below(4));
}

static void change(void) {
  uint32_t queue = mutate_below(CHANNEL_QUEUES);
  if (target.chains[queue] == 0)
    queue ^= 1;
  changes++;
  switch (mutate_below(24)) {
  case 0:
    change_header(&target.window->header);
    break;
  case 1:
    ((uint32_t *)target.window)[mutate_below((uint32_t)target.size / 4)] = (uint32_t)mutate_any();
    break;
  case 2:
  case 3:
    change_available(queue);
    break;
  case 4:
  case 5:
  case 6:
  case 7:
  case 8:
  case 9:
  case 10:
  case 11:
  case 12:
    target.payload();
    break;
  default:
    change_descriptor(&target.window->queue[queue].desc[mutate_below(target.descriptors[queue])]);
  }
}

void mutate_ring(const struct attack *attack) {
  target = *attack;
  rings++;
  waiting = 0;
  busy = true;
  for (uint32_t i = 1 + mutate_below(CHANGES); i; i--) {
    if (mutate_below(2))
      change();
    else
      later[waiting++] = mutate_below(READS);
  }
  busy = false;
}

void mutate_end(void) {
  waiting = 0;
}

/* --- in front of each read --- */

static void look(const void *place) {
  uint64_t offset = (uint64_t)((uintptr_t)place - (uintptr_t)target.window);
  if (waiting == 0 || busy || offset >= target.size)
    return;
  busy = true;
  for (uint32_t i = waiting; i-- > 0;) {
    if (later[i]--)
      continue;
    later[i] = later[--waiting];
    between++;
    change();
  }
  busy = false;
}

#define LOADS(SIZE)                                                                                                    \
  void __real___asan_load##SIZE(const void *place);                                                                    \
  void __wrap___asan_load##SIZE(const void *place);                                                                    \
  void __wrap___asan_load##SIZE(const void *place) {                                                                   \
    look(place);                                                                                                       \
    __real___asan_load##SIZE(place);                                                                                   \
  }

LOADS(1)
LOADS(2)
LOADS(4)
LOADS(8)
LOADS(16)

void __real___asan_loadN(const void *place, size_t size);
void __wrap___asan_loadN(const void *place, size_t size);
void __wrap___asan_loadN(const void *place, size_t size) {
  look(place);
  __real___asan_loadN(place, size);
}

void *__real_memcpy(void *to, const void *from, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size) {
  look(from);
  return __real_memcpy(to, from, size);
}

/* --- what came of it --- */

static const char *const RULES[COUNTERS] = {
    [COUNT_BAD_RING] = "bad ring",
    [COUNT_BAD_CHAIN] = "bad chain",
    [COUNT_BAD_HEADER] = "bad header",
    [COUNT_BAD_LENGTH] = "bad length",
    [COUNT_BAD_RANGE] = "bad range",
    [COUNT_NO_RIGHT] = "no right",
    [COUNT_OUTSIDE_EXTENT] = "outside extent",
    [COUNT_UNALIGNED] = "unaligned",
    [COUNT_OVER_QUOTA] = "over quota",
    [COUNT_UNSUPPORTED] = "unsupported",
    [COUNT_FALSE_SOURCE] = "false source",
    [COUNT_OWN_TAG] = "own tag",
    [COUNT_NOBODY] = "nobody",
    [COUNT_OUTSIDE_CHANNEL] = "outside channel",
};

void mutate_table(const char *class, const uint64_t *counts, const enum counter *met, uint32_t count) {
  uint64_t refused = 0, most = 0;
  printf("ok: %s: %u rings, %u fields changed, %u of them between two reads of the server\n", class, rings, changes,
         between);
  printf("  %-16s %llu\n", "served", (unsigned long long)counts[COUNT_REQUESTS]);
  for (uint32_t i = COUNT_BAD_RING; i <= COUNT_OUTSIDE_CHANNEL; i++) {
    uint64_t hits = counts[i];
    refused += hits;
    most = hits > most ? hits : most;
    if (hits)
      printf("  %-16s %llu\n", RULES[i], (unsigned long long)hits);
  }
  fflush(stdout);
  for (uint32_t i = 0; i < count; i++)
    CHECK(counts[met[i]] != 0);
  CHECK(most * 2 <= refused);
  CHECK(between * 8 > changes);
}
