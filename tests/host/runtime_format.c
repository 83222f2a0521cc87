/* SPDX-License-Identifier: Apache-2.0
 *
 * The runtime's format against the C library's snprintf.
 */
#include "format.h"
#include "runtime_check.h"

#include <limits.h>

#define SAME(...)                                                                                                      \
  do {                                                                                                                 \
    char ours[200], theirs[200];                                                                                       \
    int our_length = format(ours, sizeof ours, __VA_ARGS__);                                                           \
    int their_length = snprintf(theirs, sizeof theirs, __VA_ARGS__);                                                   \
    if (our_length != their_length || strcmp(ours, theirs) != 0) {                                                     \
      fprintf(stderr, "%s:%d: \"%s\" is not \"%s\"\n", __FILE__, __LINE__, ours, theirs);                              \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

static void test_integers(void) {
  const int values[] = {0, 1, -1, 42, -12345, INT_MAX, INT_MIN};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
    SAME("%d|%5d|%-5d|%05d|%i", values[i], values[i], values[i], values[i], values[i]);
    SAME("%u|%8u|%-8u|%08u", (unsigned)values[i], (unsigned)values[i], (unsigned)values[i], (unsigned)values[i]);
    SAME("%x|%X|%08x|%2x", (unsigned)values[i], (unsigned)values[i], (unsigned)values[i], (unsigned)values[i]);
  }
}

static void test_long_integers(void) {
  for (int i = 0; i < 10000; i++) {
    uint64_t value = random_next() >> random_below(64);
    SAME("%lld|%llu|%llx|%20llu|%016llx", (long long)value, (unsigned long long)value, (unsigned long long)value,
         (unsigned long long)value, (unsigned long long)value);
    SAME("%ld|%lu|%zu", (long)value, (unsigned long)value, (size_t)value);
  }
  SAME("%lld %lld", LLONG_MIN, LLONG_MAX);
}

static void test_text(void) {
  char unterminated[3] = {'a', 'b', 'c'};
  SAME("%s|%10s|%-10s|%.2s|%.0s|%5.1s", "text", "text", "text", "text", "text", "text");
  SAME("%.*s|%.3s", 2, "xyz", unterminated);
  SAME("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
  SAME("100%% %p", (void *)0x1234abcd);
  SAME("nothing");
}

static void test_room(void) {
  char text[8] = "#######";
  CHECK(format(text, 4, "%s", "abcdef") == 6 && strcmp(text, "abc") == 0 && text[4] == '#');
  CHECK(format(text, 1, "abc") == 3 && text[0] == 0);
  text[0] = '#';
  CHECK(format(text, 0, "abc") == 3 && text[0] == '#');
  CHECK(format(text, 7, "%d", 123456) == 6 && strcmp(text, "123456") == 0);
  const char *none = NULL, *end = "%";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-overflow"
  CHECK(format(text, 8, "%s", none) == 6 && strcmp(text, "(null)") == 0);
  CHECK(format(text, 8, end) == 0 && text[0] == 0);
#pragma GCC diagnostic pop
}

int main(void) {
  test_integers();
  test_long_integers();
  test_text();
  test_room();
  return 0;
}
