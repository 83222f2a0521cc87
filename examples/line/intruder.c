// SPDX-License-Identifier: Apache-2.0
// Tries to read what lies behind its own memory: in this layout, page tables.
// Each time it is stopped; the manager starts it again, as the layout says.
#include "parclose.h"

int main(void) {
  const volatile char *behind = (char *)heap_end() + DESCRIPTOR_PAGE->stack_size; /* our extent ends here */
  sleep_ns(100000000);
  printf("attempting to read the memory behind my own, at %p, life %u\n", (void *)behind, life());
  print_flush();
  char secret = *behind;
  printf("SUCCEEDED: read 0x%02x\n", (unsigned)(unsigned char)secret);
  return 0;
}
