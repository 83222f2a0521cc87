/* SPDX-License-Identifier: Apache-2.0
 *
 * The context switch: what the entries of the monitor leave in the processor goes into the context page, CR3 shows the
 * page of the next partition at the same address, and its own comes back. Inline, because every way of a switch has it.
 */
#ifndef MONITOR_SWITCH_H
#define MONITOR_SWITCH_H

#include "instructions.h"
#include "state.h"

static inline void switch_in(uint32_t components) {
  struct context *context = CONTEXT;
  if (data_selectors() != 0)
    clear_data_selectors();
  write_fs_base(context->fs_base);
  write_gs_base(context->gs_base);
  xrstor(context->xsave, components);
}

static inline void switch_to(const struct partition *partition) {
  struct context *context = CONTEXT;
  uint32_t components = UINT32_MAX;
  __asm__("" : "+r"(components)); /* an immediate would be loaded anew each time */
  xsave(context->xsave, components);
  context->fs_base = read_fs_base();
  context->gs_base = read_gs_base();
  write_cr3(partition->root);
  switch_in(components);
}

#endif
