// SPDX-License-Identifier: Apache-2.0
// A guest in C: what it hears from the guest in C++ it prints. Its headers of the standard are the compiler's own.
#include "parclose.h"

#include <limits.h>

static int heard = 1; // writable data with a value: restored by the start object

int main(void) {
  static struct peer peer;
  char text[64];
  _Static_assert(CHAR_BIT == 8 && INT_MAX > 0, "<limits.h> is not the kit's");
  if (!peer_open(&peer, channel("talk")))
    return 1;
  int size = peer_receive(&peer, text, sizeof text - 1, deadline_in_ns(20000000000ull));
  if (size < 0)
    return 2;
  text[size] = 0;
  printf("plain: message %d: %s\n", heard++, text);
  return 0;
}
