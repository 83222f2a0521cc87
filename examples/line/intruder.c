// SPDX-License-Identifier: Apache-2.0
// Tries to read a neighbour's memory: what stands before its own, where the
// logger's is (the memory map shows it). Each time it is stopped; the manager
// starts it again, as often as the layout says.
#include "parclose.h"

int main(void) {
  const volatile char *neighbour = (char *)PROGRAM_ADDRESS - 8; /* our memory begins at PROGRAM_ADDRESS */
  sleep_ns(100000000);
  printf("attempting to read a neighbour's memory, before my own at %p, life %u\n", (void *)neighbour, life());
  print_flush();
  char secret = *neighbour;
  printf("SUCCEEDED: read 0x%02x\n", (unsigned)(unsigned char)secret);
  return 0;
}
