// SPDX-License-Identifier: Apache-2.0
#include "parclose.h"

int main(void) {
  bool used = false, spare = false;
  printf("listening\n");
  while (!used && !spare) {
    wait_any_event(NEVER);
    used = event_take(channel("used")->event);
    spare = event_take(channel("spare")->event);
  }
  printf("woken by %s\n", used ? "used" : "spare");
  return 0;
}
