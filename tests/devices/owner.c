/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads virtio's common configuration where the board's parameters say that it
 * is: the number of queues and the size of the first, then whether a status
 * that is written stays.
 */
#include "parclose.h"

#define DEVICE_STATUS 0x14u
#define NUM_QUEUES 0x12u
#define QUEUE_SIZE 0x18u

int main(void) {
  const struct device_descriptor *random = device("random");
  struct console console;
  char text[80];
  if (!random || !console_open(&console, channel("console")))
    return 1;
  volatile uint8_t *common =
      (volatile uint8_t *)random->bar[random->parameter[PARAMETER_BAR]].address + random->parameter[PARAMETER_COMMON];
  common[DEVICE_STATUS] = 0;
  common[DEVICE_STATUS] = 3;
  int length = format(text, sizeof text, "queues %u, size %u, status %u, notify %x by %u, port %u\n",
                      *(volatile uint16_t *)(common + NUM_QUEUES), *(volatile uint16_t *)(common + QUEUE_SIZE),
                      common[DEVICE_STATUS], random->parameter[PARAMETER_NOTIFY],
                      random->parameter[PARAMETER_NOTIFY_MULTIPLIER], random->parameter[PARAMETER_PORT]);
  console_write(&console, text, (size_t)length, NEVER);
  return 0;
}
