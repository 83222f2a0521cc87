/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks, in three lives, an answerer that dies now and then. It sleeps at first,
 * so that in the layout's order either end comes up first once.
 */
#include "parclose.h"

#define QUESTIONS 300u

static struct peer questions;

/* A question may have been taken by an answerer that died over it: then it is asked again. */
static bool ask(uint32_t number) {
  for (int attempt = 0; attempt < 20; attempt++) {
    uint32_t answer = 0;
    if (peer_send(&questions, &number, sizeof number, deadline_in_ns(1000000000)) != STATUS_OK)
      continue;
    while (peer_receive(&questions, &answer, sizeof answer, deadline_in_ns(50000000)) == sizeof answer)
      if (answer == number * 3)
        return true;
  }
  return false;
}

int main(void) {
  char whole[4096] = {0};
  if (!peer_open(&questions, channel("questions")) || peer_limit(&questions) != 512)
    return 1;
  if (peer_send(&questions, whole, 513, 0) != STATUS_BAD_ARGUMENT)
    return 2;
  for (uint32_t number = 1; number <= QUESTIONS; number++) {
    if (!ask(number))
      return 3;
    if (life() < 3 && number == 100)
      __builtin_trap();
  }
  printf("%u answers in life %u\n", QUESTIONS, life());
  return 0;
}
