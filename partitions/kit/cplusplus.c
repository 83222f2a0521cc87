/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiled C++ asks of its surroundings (Itanium C++ ABI, 3.2.6 and 3.3.5), as far as a partition has it.
 */

void *__dso_handle; /* names the program to __cxa_atexit; there is one */

/* Destructors of global objects: a partition that ends is not entered again with its memory, so none is run. */
int __cxa_atexit(void (*destructor)(void *), void *object, void *program) {
  (void)destructor, (void)object, (void)program;
  return 0;
}

/* A call of a function that no class defines: the partition stops with an exception, and the manager says where. */
_Noreturn void __cxa_pure_virtual(void) {
  __builtin_trap();
}
