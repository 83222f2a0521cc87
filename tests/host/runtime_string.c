/* SPDX-License-Identifier: Apache-2.0
 *
 * The runtime's memory and string functions, under other names, against the C
 * library's. Buffers are exact, so that the sanitizer sees a byte too far.
 */
#include "runtime_check.h"

#define memcpy own_memcpy
#define memmove own_memmove
#define memset own_memset
#define memcmp own_memcmp
#define strlen own_strlen
#define strncmp own_strncmp
#define strcmp own_strcmp
#define strchr own_strchr
#include "../../partitions/runtime/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strncmp
#undef strcmp
#undef strchr

static uint8_t *random_bytes(size_t size) {
  uint8_t *bytes = malloc(size + 1);
  CHECK(bytes);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)random_next();
  return bytes;
}

static void test_copies(void) {
  for (size_t size = 0; size < 200; size++) {
    uint8_t *from = random_bytes(size), *to = malloc(size + 1);
    CHECK(own_memcpy(to, from, size) == to && memcmp(to, from, size) == 0);
    CHECK(own_memset(to, (int)size - 100, size) == to);
    for (size_t i = 0; i < size; i++)
      CHECK(to[i] == (uint8_t)(size - 100));
    CHECK(own_memcpy(to, from, size) == to && own_memcmp(to, from, size) == 0);
    if (size) {
      to[size / 2] ^= 1;
      CHECK((own_memcmp(to, from, size) < 0) == (memcmp(to, from, size) < 0));
    }
    free(from);
    free(to);
  }
}

static void test_overlap(void) {
  for (int i = 0; i < 5000; i++) {
    uint8_t *ours = random_bytes(256), theirs[256];
    size_t from = random_below(200), to = random_below(200), size = random_below(56);
    memcpy(theirs, ours, 256);
    memmove(theirs + to, theirs + from, size);
    CHECK(own_memmove(ours + to, ours + from, size) == ours + to && memcmp(ours, theirs, 256) == 0);
    free(ours);
  }
}

static void test_strings(void) {
  const char *texts[] = {"", "a", "b", "ab", "abc", "abd", "\xff", "a\xff"};
  for (unsigned i = 0; i < 8; i++) {
    CHECK(own_strlen(texts[i]) == strlen(texts[i]));
    CHECK(own_strchr(texts[i], 'b') == strchr(texts[i], 'b') && own_strchr(texts[i], 0) == strchr(texts[i], 0));
    for (unsigned j = 0; j < 8; j++) {
      CHECK((own_strcmp(texts[i], texts[j]) > 0) == (strcmp(texts[i], texts[j]) > 0));
      CHECK((own_strcmp(texts[i], texts[j]) == 0) == (i == j));
      CHECK((own_strncmp(texts[i], texts[j], 2) == 0) == (strncmp(texts[i], texts[j], 2) == 0));
    }
  }
}

int main(void) {
  test_copies();
  test_overlap();
  test_strings();
  return 0;
}
