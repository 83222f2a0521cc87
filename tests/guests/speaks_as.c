/* SPDX-License-Identifier: Apache-2.0
 *
 * Tries to say something in its neighbour's name: with all that moves a
 * terminal's cursor to the start of a line, and with lines that are cut.
 */
#include "hostile.h"

#define FORGED "victim| forged "
#define LONGER_THAN_A_LINE 300

static void speak(unsigned number, const char *before, size_t length) {
  attempting("%u", number);
  for (size_t i = 0; i < length; i++)
    printf("%c", before[i]);
  printf(FORGED "%u.\n", number);
}

#define SPEAK(number, before) speak(number, before, sizeof before - 1)

static void speak_after(unsigned number, char filler) {
  char before[LONGER_THAN_A_LINE];
  memset(before, filler, sizeof before);
  speak(number, before, sizeof before);
}

int main(void) {
  SPEAK(1, "x\r");
  SPEAK(2, "\b\b\b\b\b\b\b\b\b\b");
  SPEAK(3, "x\x1b[G");
  SPEAK(4, "\x1b[2K\r");
  SPEAK(5, "x\x1b[E");
  SPEAK(6, "\x1b[99D");
  SPEAK(7, "x\x9bG");
  SPEAK(8, "x\x85");
  SPEAK(9, "x\0\r");
  SPEAK(10, "x\r\r\r");
  SPEAK(11, "\x0c\x0b\x1b"
            "c");
  speak_after(12, ' ');
  speak_after(13, '\r');
  return 0;
}
