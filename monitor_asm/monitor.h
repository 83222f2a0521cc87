/* SPDX-License-Identifier: Apache-2.0
 *
 * What each file of the monitor offers to the others.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "state.h"

/* boot.S, entry.S */
_Noreturn void resume(void);      /* return to the partition that is loaded, with the registers in its context */
void call_entry(void);            /* SYSCALL comes here */
extern const char vector_stubs[]; /* code, VECTOR_STUB_SIZE bytes for each vector */

/* print.c */
void print(const char *text);
void print_hex(uint64_t value);
void report(const char *line); /* to the port that the manager reports on */
void debug_character(char character);

/* panic.c */
_Noreturn void refuse(const char *what, const char *name, const char *source, uint64_t planned, uint64_t found);
_Noreturn void panic(const char *why, const struct frame *frame);
#define ASSERT(condition) ((condition) ? (void)0 : panic("assertion failed: " #condition, NULL))

/* loader.c */
#define BOOT_MAPPED 0x100000000ull /* what the boot tables show one to one */
#define MEMORY_USABLE 1

struct memory_entry {
  uint64_t start, size;
  uint32_t type, reserved;
};

struct memory_map {
  const struct memory_entry *entry;
  uint32_t count;
};

struct memory_map loader_memory(uint64_t info, uint32_t magic);

/* check.c */
void check_machine(struct memory_map map);

/* processor.c */
void processor_protect(void);
void processor_tables(void);

/* interrupt.c */
void interrupt_initialise(void);
void interrupt_set_mask(const struct interrupt_row *row, bool masked);

/* timer.c */
void timer_initialise(void);

/* pci.c */
uint32_t pci_read(uint32_t function, uint32_t offset);
void pci_check(void);
void pci_initialise(void);
void pci_bus_master(const struct device_row *device, bool on);
void pci_msi(const struct interrupt_row *row, uint32_t address, uint32_t vector, bool masked);

/* schedule.c. The first four end with the partition loaded that has the turn, and do not return while nobody is ready. */
void schedule_start(void);
void schedule(void);                                 /* look at everything anew */
void schedule_waits(const struct partition *caller); /* the running partition has begun to wait */
void schedule_woken(void);                           /* events were set: is it somebody earlier's turn? */
void schedule_changed(void);                         /* a partition has started or was stopped */
void schedule_give_up(void);                         /* the running slot takes no more of this frame */

/* partition.c */
void partition_load(struct partition *partition);
void partition_initialise(void); /* ends with the manager started */
void partition_start(uint32_t index);
void partition_stop(uint32_t index, const struct fault_record *record);
void partition_ends(enum stop_reason reason, uint32_t vector, uint64_t error,
                    uint64_t address); /* the one that is loaded */
void partition_exception(void);

/* channel.c */
void channel_allocate(uint32_t channel);
void channel_connect(uint32_t channel, uint32_t life);
void channel_disconnect(uint32_t channel);
uint64_t channel_release(uint32_t channel, uint64_t count);
void channel_forget(uint32_t channel);

/* call.c */
extern call_handler *const *const role_calls[ROLE_COUNT];

/* manage.c: calls of the manager */
call_handler call_assign, call_start, call_stop, call_state, call_fault;

/* serve.c: calls of I/O partitions */
call_handler call_convert, call_release, call_channel;

#endif
