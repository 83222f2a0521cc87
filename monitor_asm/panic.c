/* SPDX-License-Identifier: Apache-2.0
 *
 * The two ways in which the monitor itself gives up: it refuses a machine before it touches anything, or it has found a
 * bug of its own and writes an epitaph.
 */
#include "instructions.h"
#include "monitor.h"

extern const char text_start[], text_end[];

_Noreturn void panic_exception(const struct frame *frame);

_Noreturn void refuse(const char *what, const char *name, const char *source, uint64_t planned, uint64_t found) {
  print("parclose: this machine is not the one the image was planned for\n  ");
  print(what);
  print(" ");
  print(name);
  print(": planned ");
  print_hex(planned);
  print(", found ");
  print_hex(found);
  print("\n  as said in ");
  print(source);
  print("\n  nothing was started\n");
  report("{\"event\":\"refused-machine\"}\n");
  halt_for_ever();
}

static void print_registers(const struct frame *frame) {
  static const char names[][4] = {"r15", "r14", "r13", "r12", "r11", "r10", "r9 ", "r8 ", "rbp", "rdi", "rsi",
                                  "rcx", "rbx", "rdx", "rax", "vec", "err", "rip", "cs ", "flg", "rsp", "ss "};
  const uint64_t *values = (const uint64_t *)frame;
  for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    print(i % 3 == 0 ? "\n  " : "  ");
    print(names[i]);
    print(" ");
    print_hex(values[i]);
  }
}

/* Every word on the stack that points into our text: more than the true callers, but none is missed and no frame pointer is needed. */
static void print_back_trace(const uint64_t *stack) {
  print("\n  text addresses on the stack (resolve with addr2line -f -e monitor.elf):");
  for (uint64_t word = (uint64_t)stack; word % PAGE_SIZE != 0; word += sizeof(uint64_t)) {
    uint64_t value = *(const uint64_t *)word;
    if (value >= (uint64_t)text_start && value < (uint64_t)text_end) {
      print("\n  ");
      print_hex(value);
    }
  }
}

_Noreturn void panic(const char *why, const struct frame *frame) {
  uint64_t here = 0;
  print("\nparclose: the monitor has stopped the machine: ");
  print(why);
  if (frame != NULL)
    print_registers(frame);
  print_back_trace(&here);
  print("\n");
  /* the manager may have been cut off within a line */
  report("\n{\"event\":\"panic\"}\n");
  halt_for_ever();
}

_Noreturn void panic_exception(const struct frame *frame) {
  print("\nparclose: cr2 ");
  print_hex(read_cr2());
  panic("exception in ring 0, or one that no partition can cause", frame);
}
