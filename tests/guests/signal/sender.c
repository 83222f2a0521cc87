// SPDX-License-Identifier: Apache-2.0
#include "monitor.h"
#include "parclose.h"

int main(void) {
  enum status status = STATUS_NOT_CONNECTED;
  while (status == STATUS_NOT_CONNECTED) { /* the listener may not live yet */
    status = monitor_signal(channel("used")->index, 0);
    sleep_ns(1000000);
  }
  printf("signalled: status %d\n", status);
  return 0;
}
