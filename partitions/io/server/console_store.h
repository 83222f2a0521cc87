/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes on their way, in memory of the server's own.
 */
#ifndef PARCLOSE_IO_CONSOLE_STORE_H
#define PARCLOSE_IO_CONSOLE_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct console_store {
  char *memory;
  uint32_t size, first, used;
};

static inline uint32_t console_store_room(const struct console_store *store) {
  return store->size - store->used;
}

static inline uint32_t console_store_place(const struct console_store *store, uint32_t number) {
  uint32_t to_end = store->size - store->first;
  return number < to_end ? store->first + number : number - to_end;
}

static inline bool console_store_put(struct console_store *store, char byte) {
  if (console_store_room(store) == 0)
    return false;
  store->memory[console_store_place(store, store->used++)] = byte;
  return true;
}

/* As many as there is room for. */
static inline void console_store_add(struct console_store *store, const char *text, uint32_t length) {
  for (uint32_t i = 0; i < length && console_store_put(store, text[i]); i++)
    ;
}

/* `number`: less than used. */
static inline char console_store_at(const struct console_store *store, uint32_t number) {
  return store->memory[console_store_place(store, number)];
}

/* `count`: no more than used. */
static inline void console_store_drop(struct console_store *store, uint32_t count) {
  store->first = count == store->used ? 0 : console_store_place(store, count);
  store->used -= count;
}

#endif
