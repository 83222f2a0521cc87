/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions that the compiler may call, and the few string functions of
 * everyday. Copies use string instructions: small, never slow, and they leave the
 * vector registers alone.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strncmp(const char *left, const char *right, size_t size);
int strcmp(const char *left, const char *right);
char *strchr(const char *text, int character);

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  void *result = to;
  size_t words = size / 8, rest = size % 8;
  __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
  return result;
}

void *memmove(void *to, const void *from, size_t size) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if ((uintptr_t)target - (uintptr_t)source >= size)
    return memcpy(to, from, size);
  while (size--) /* overlapping, the target above: from the end */
    ((volatile uint8_t *)target)[size] = source[size];
  return to;
}

void *memset(void *to, int value, size_t size) {
  void *result = to;
  size_t words = size / 8, rest = size % 8;
  uint64_t pattern = (uint8_t)value * 0x0101010101010101ull;
  __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
  return result;
}

int memcmp(const void *left, const void *right, size_t size) {
  const uint8_t *a = left, *b = right;
  for (; size; size--, a++, b++)
    if (*a != *b)
      return *a - *b;
  return 0;
}

size_t strlen(const char *text) {
  const volatile char *end = text; /* volatile: or the compiler makes this loop a call of strlen */
  while (*end)
    end++;
  return (size_t)(end - text);
}

int strncmp(const char *left, const char *right, size_t size) {
  for (; size; size--, left++, right++)
    if (*left != *right || !*left)
      return (uint8_t)*left - (uint8_t)*right;
  return 0;
}

int strcmp(const char *left, const char *right) {
  return strncmp(left, right, SIZE_MAX);
}

char *strchr(const char *text, int character) {
  for (;; text++) {
    if (*text == (char)character)
      return (char *)(uintptr_t)text;
    if (!*text)
      return NULL;
  }
}
