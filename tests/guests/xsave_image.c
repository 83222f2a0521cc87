/* SPDX-License-Identifier: Apache-2.0
 *
 * Images of extended state that no XSAVE wrote: with components that are not on, with the compacted form, with reserved bytes,
 * crooked. XRSTOR of them is the program's own fault. One in the monitor's own image of this partition would be the
 * monitor's, which loads it at the next switch.
 */
#include "hostile.h"

#define HEADER 512u

static uint8_t image[1024] __attribute__((aligned(64)));

static const struct {
  const char *name;
  uint32_t byte;
  uint8_t value;
} lies[] = {
    {"component 3", HEADER + 0, 0x08},        {"component 9", HEADER + 1, 0x02},
    {"component 63", HEADER + 7, 0x80},       {"the compacted form", HEADER + 15, 0x80},
    {"a compacted component", HEADER + 8, 1}, {"a reserved byte", HEADER + 16, 1},
};

#define LIES (sizeof lies / sizeof lies[0])

static void restore(const uint8_t *place) {
  __asm__ volatile("xrstor64 (%0)" : : "r"(place), "a"(-1), "d"(-1) : "memory");
}

static void lie(unsigned i) {
  attempting("to load an image with %s", lies[i].name);
  image[lies[i].byte] = lies[i].value;
  restore(image);
  escaped("loaded an image with %s", lies[i].name);
}

static void crooked(void) {
  attempting("to load an image from a crooked address");
  restore(image + 8);
  escaped("loaded an image from a crooked address");
}

/* The header of the monitor's image of this partition: no XSAVE writes that word. Then a switch. */
static void lie_to_the_monitor(uint64_t place) {
  attempting("to write the monitor's image at %llx", (unsigned long long)place);
  *(volatile uint64_t *)place = 1;
  for (unsigned i = 0; i < 20; i++)
    sleep_ns(1000000);
  escaped("wrote the monitor's image at %llx", (unsigned long long)place);
}

int main(void) {
  unsigned first = life() - 1;
  for (unsigned i = first; i < LIES; i++)
    lie(i);
  if (first <= LIES)
    crooked();
  if (first <= LIES + 1)
    lie_to_the_monitor(*(const uint64_t *)config("targets.bin", NULL));
  return verdict();
}
