// SPDX-License-Identifier: Apache-2.0
// Tries to read what lies behind its own memory, which is a neighbour's. Each
// time it is stopped; the manager starts it again, as often as the layout says.
#include "parclose.h"

int main(void) {
  const volatile char *neighbour = (char *)heap_end() + DESCRIPTOR_PAGE->stack_size; /* our extent ends here */
  sleep_ns(100000000);
  printf("attempting to read a neighbour's memory at %p, life %u\n", (void *)neighbour, life());
  print_flush();
  char secret = *neighbour;
  printf("SUCCEEDED: read 0x%02x\n", (unsigned)(unsigned char)secret);
  return 0;
}
