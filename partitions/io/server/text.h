/* SPDX-License-Identifier: Apache-2.0
 *
 * The little that the server does with text.
 */
#ifndef PARCLOSE_IO_TEXT_H
#define PARCLOSE_IO_TEXT_H

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t text_length(const char *text) {
  uint32_t length = 0;
  while (text[length])
    length++;
  return length;
}

static inline bool text_equal(const char *left, const char *right) {
  for (; *left && *left == *right; left++)
    right++;
  return *left == *right;
}

/* A line that is put together; what does not fit is cut. */
struct text {
  uint32_t length;
  char character[120];
};

static inline void text_add(struct text *text, const char *more) {
  for (; *more && text->length + 1 < sizeof text->character; more++)
    text->character[text->length++] = *more;
  text->character[text->length] = 0;
}

static inline void text_add_decimal(struct text *text, uint64_t value) {
  char digits[21] = {0};
  uint32_t first = 20;
  do {
    digits[--first] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  text_add(text, &digits[first]);
}

/* Without leading zeros. */
static inline void text_add_hex(struct text *text, uint32_t value) {
  char digits[] = "0x00000000";
  uint32_t first = 9;
  for (uint32_t i = 9; i >= 2; i--, value >>= 4) {
    digits[i] = "0123456789abcdef"[value & 15];
    if (value & 15)
      first = i;
  }
  text_add(text, "0x");
  text_add(text, &digits[first]);
}

#endif
