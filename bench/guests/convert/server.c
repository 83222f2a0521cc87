/* SPDX-License-Identifier: Apache-2.0
 *
 * Converts addresses of its client, one a call: in its data, then on its stack, which is the last region looked at. The count that
 * each conversion adds is released outside the measured time.
 */
#include "../measure.h"
#include "live.h"

#define SAMPLES 1000u
#define EXTENT_START 0x100000u

static uint32_t sample[SAMPLES];

static void fill(uint64_t address, uint64_t offset) {
  CALL_PAGE->convert[0] =
      (struct convert_entry){.address = address, .offset = offset, .length = 4096, .access = RIGHT_WRITE};
}

static bool measure(const struct channel_descriptor *disk, uint32_t life, uint64_t address) {
  for (unsigned i = 0; i < SAMPLES; i++) {
    fill(address, i * 4096ull);
    COUNT_BEGIN(1);
    sample[i] = timed_call(CALL_CONVERT, disk->index, 1, life);
    COUNT_END(1);
    if (CALL_PAGE->convert[0].device_offset != EXTENT_START + i * 4096ull ||
        monitor_release(disk->index, 1) != STATUS_OK)
      return false;
  }
  return true;
}

static void measure_nothing(void) {
  for (unsigned i = 0; i < SAMPLES; i++)
    sample[i] = timed_nothing(CALL_CONVERT, 0, 1, 0);
  say_samples("nothing", sample, SAMPLES);
}

static bool measure_both(const struct channel_descriptor *disk, uint32_t life, volatile struct channel_window *window) {
  bool good = measure(disk, life, window->request[0].header.sector);
  if (!good)
    return false;
  say_samples("convert", sample, SAMPLES);
  good = measure(disk, life, window->request[1].header.sector);
  say_samples("convert-stack", sample, SAMPLES);
  return good;
}

int main(void) {
  const struct channel_descriptor *disk = channel("extent");
  volatile struct channel_window *window = (volatile struct channel_window *)disk->address;
  while (window->header.magic != CHANNEL_MAGIC)
    monitor_wait(NEVER);
  measure_nothing();
  bool good = measure_both(disk, LIVE_LIFE(monitor_channel(disk->index).value), window);
  window->header.magic = 0;
  monitor_signal(disk->index, 0);
  return good ? 0 : 1;
}
