/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets that assembly needs; processor.c asserts each of them against the C structures.
 */
#ifndef MONITOR_OFFSETS_H
#define MONITOR_OFFSETS_H

#define FRAME_SIZE 176
#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_RDX 104
#define LOCAL_CONTEXT_TOP (LOCAL_CONTEXT + PAGE_SIZE)
#define LOCAL_FRAME (LOCAL_CONTEXT_TOP - FRAME_SIZE)

#define CONTEXT_CALLS (PAGE_SIZE - FRAME_SIZE - 56)
#define CPU_IDLE 56

#define VECTOR_STUB_SIZE 16
#define VECTOR_TIMER_ENTRY 0xf0
#define ENTRY_CALL_SHORT 5
#define ENTRY_CALL_COUNT 24
#define ENTRY_NO_CALL 1

#endif
