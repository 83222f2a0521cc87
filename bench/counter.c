/* SPDX-License-Identifier: Apache-2.0
 *
 * A QEMU plugin that counts executed guest instructions, each by its physical address. Debian ships no header: the part of
 * the plugin API, version 1 (QEMU 7.2, include/qemu/qemu-plugin.h), that is used here is declared here.
 *
 * Arguments: out=FILE; entry=ADDRESS (the image's first instruction: what ran before, firmware, is not counted; it runs
 * on a one-to-one mapping, so it also tells where guest memory stands in ours). Optional:
 *   until=ADDRESS          a count from the entry to the first time that this virtual address is executed
 *   from=START:SIZE, to=START:SIZE   physical: every way from the last instruction in the one to the first in the other
 *                          with nothing but ring 0 between is counted
 *   enter=ADDRESS          physical: executing it ends a count of mark 14
 *   watch=ADDRESS:…        virtual, of ring 0: the instructions there are counted once more, apart
 *   stores=START:SIZE      virtual: stores there are counted
 * Guests mark what is to be counted with no-operations that carry a number, see guests/measure.h. The file holds one line
 * for each count, `count MARK INSTRUCTIONS WATCHED STORES` (the two marks left out), then one for each instruction that was
 * executed between marks, `at MARK PHYSICAL VIRTUAL TIMES`.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_W = 2 };
typedef uint32_t qemu_plugin_meminfo_t;
typedef void translated(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void executed(unsigned, void *);
typedef void accessed(unsigned, qemu_plugin_meminfo_t, uint64_t, void *);
typedef void ended(qemu_plugin_id_t, void *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed *, enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, enum qemu_plugin_op, void *, uint64_t);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, accessed *, enum qemu_plugin_cb_flags,
                                      enum qemu_plugin_mem_rw, void *);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, ended *, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t, const struct qemu_info *, int,
                                                               char **);

#define MARKS 16
#define BUCKETS 65536
#define COUNTS 65536

/* nopl disp32(%rax), and the displacement's upper bytes: guests/measure.h */
static const uint8_t nop[] = {0x0f, 0x1f, 0x80};
#define MARK_BEGIN 0x424547u
#define MARK_END 0x454e44u
#define MARK_BOOT 0u
#define MARK_SWITCH 15u
#define MARK_ENTER 14u
#define WATCHED 1024
#define RING_0 0xffffffff80000000u

struct place {
  struct place *next, *in_bucket;
  uint64_t physical, virtual;
  uint64_t times;          /* ever */
  uint64_t before;         /* `times` when the current count began */
  uint64_t counted[MARKS]; /* between each pair of marks */
};

static const char *out;
static uint64_t entry, until;
static uint64_t from, from_size, to, to_size, enter;
static uint64_t watch[WATCHED];
static size_t watch_end;
static const uint8_t *memory; /* where guest-physical 0 stands in this process */
static struct place *places, *bucket[BUCKETS];
static uint64_t total, total_before, watched, watched_before;
static uint64_t stores, stores_size, stored, stored_before;
static int open_mark = -1;
static struct {
  int mark;
  uint64_t instructions, watched, stored;
} counts[COUNTS];
static size_t count_end;

static struct place *place_of(uint64_t physical, uint64_t virtual) {
  struct place **first = &bucket[(physical ^ physical >> 16) % BUCKETS];
  for (struct place *place = *first; place; place = place->in_bucket)
    if (place->physical == physical && place->virtual == virtual)
      return place;
  struct place *place = calloc(1, sizeof *place);
  if (!place)
    abort();
  place->physical = physical;
  place->virtual = virtual;
  place->in_bucket = *first;
  *first = place;
  place->next = places;
  places = place;
  return place;
}

/* Called before the instruction itself is counted. */
static void begin(unsigned processor, void *mark) {
  (void)processor;
  open_mark = (int)(intptr_t)mark;
  total_before = total;
  watched_before = watched;
  stored_before = stored;
  for (struct place *place = places; place; place = place->next)
    place->before = place->times;
}

static void end(unsigned processor, void *mark) {
  (void)processor;
  if (open_mark != (int)(intptr_t)mark)
    return;
  open_mark = -1;
  if (count_end < COUNTS) {
    counts[count_end].mark = (int)(intptr_t)mark;
    counts[count_end].watched = watched - watched_before;
    counts[count_end].stored = stored - stored_before;
    counts[count_end++].instructions = total - total_before;
  }
  for (struct place *place = places; place; place = place->next)
    place->counted[(intptr_t)mark] += place->times - place->before;
}

static void look_for_marks(struct qemu_plugin_insn *instruction) {
  const uint8_t *bytes = qemu_plugin_insn_data(instruction);
  if (qemu_plugin_insn_size(instruction) != 7 || memcmp(bytes, nop, sizeof nop) != 0)
    return;
  uint32_t kind = bytes[4] | bytes[5] << 8 | bytes[6] << 16;
  intptr_t mark = bytes[3] % MARKS;
  if (kind == MARK_BEGIN || kind == MARK_END)
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, kind == MARK_BEGIN ? begin : end, QEMU_PLUGIN_CB_NO_REGS,
                                           (void *)mark);
}

static void look_for_boot(struct qemu_plugin_insn *instruction, uint64_t virtual) {
  if (!memory && virtual == entry) {
    memory = (const uint8_t *)qemu_plugin_insn_haddr(instruction) - entry;
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, begin, QEMU_PLUGIN_CB_NO_REGS, (void *)(intptr_t)MARK_BOOT);
  }
  if (memory && until && virtual == until)
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, end, QEMU_PLUGIN_CB_NO_REGS, (void *)(intptr_t)MARK_BOOT);
}

/* --- from one partition to another --- */

static enum { ELSEWHERE, IN_FROM, ON_THE_WAY } where;

static void run_from(unsigned processor, void *unused) {
  (void)processor, (void)unused;
  where = IN_FROM;
}

static void run_ring_0(unsigned processor, void *unused) {
  (void)unused;
  if (where != IN_FROM)
    return;
  where = ON_THE_WAY;
  begin(processor, (void *)(intptr_t)MARK_SWITCH);
}

static void run_to(unsigned processor, void *unused) {
  (void)unused;
  if (where == ON_THE_WAY)
    end(processor, (void *)(intptr_t)MARK_SWITCH);
  where = ELSEWHERE;
}

static void run_other(unsigned processor, void *unused) {
  (void)processor, (void)unused;
  where = ELSEWHERE;
}

static void look_for_way(struct qemu_plugin_insn *instruction, uint64_t physical, uint64_t virtual) {
  executed *what = run_other;
  if (physical - from < from_size)
    what = run_from;
  else if (virtual >= RING_0)
    what = run_ring_0;
  else if (physical - to < to_size)
    what = run_to;
  qemu_plugin_register_vcpu_insn_exec_cb(instruction, what, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void look_for_watched(struct qemu_plugin_insn *instruction, uint64_t virtual) {
  for (size_t i = 0; i < watch_end; i++)
    if (watch[i] == virtual)
      qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, &watched, 1);
}

static void store(unsigned processor, qemu_plugin_meminfo_t info, uint64_t virtual, void *unused) {
  (void)processor, (void)info, (void)unused;
  stored += virtual - stores < stores_size;
}

static void look_for_entry(struct qemu_plugin_insn *instruction, uint64_t physical) {
  if (enter && physical == enter)
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, end, QEMU_PLUGIN_CB_NO_REGS, (void *)(intptr_t)MARK_ENTER);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    uint64_t virtual = qemu_plugin_insn_vaddr(instruction);
    look_for_boot(instruction, virtual);
    if (!memory)
      continue;
    look_for_marks(instruction);
    uint64_t physical = (uint64_t)((const uint8_t *)qemu_plugin_insn_haddr(instruction) - memory);
    if (from_size)
      look_for_way(instruction, physical, virtual);
    look_for_entry(instruction, physical);
    look_for_watched(instruction, virtual);
    if (stores_size)
      qemu_plugin_register_vcpu_mem_cb(instruction, store, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W, NULL);
    struct place *place = place_of(physical, virtual);
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, &place->times, 1);
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, &total, 1);
  }
}

/* A mark's own no-operation is counted at its begin, not at its end. */
static void write_down(qemu_plugin_id_t id, void *unused) {
  (void)id, (void)unused;
  FILE *file = fopen(out, "w");
  if (!file)
    return;
  for (size_t i = 0; i < count_end; i++)
    fprintf(file, "count %d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts[i].mark,
            counts[i].instructions - !(counts[i].mark == MARK_BOOT || counts[i].mark == MARK_SWITCH), counts[i].watched,
            counts[i].stored);
  for (const struct place *place = places; place; place = place->next)
    for (int mark = 0; mark < MARKS; mark++)
      if (place->counted[mark])
        fprintf(file, "at %d %#" PRIx64 " %#" PRIx64 " %" PRIu64 "\n", mark, place->physical, place->virtual,
                place->counted[mark]);
  fputs("whole\n", file);
  fclose(file);
}

static void extent(const char *text, uint64_t *start, uint64_t *size) {
  char *end;
  *start = strtoull(text, &end, 0);
  *size = *end == ':' ? strtoull(end + 1, NULL, 0) : 0;
}

static void addresses(char *text) {
  for (char *word = text; *word && watch_end < WATCHED; word += *word == ':')
    watch[watch_end++] = strtoull(word, &word, 0);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "out=", 4) == 0)
      out = strdup(argv[i] + 4);
    else if (strncmp(argv[i], "entry=", 6) == 0)
      entry = strtoull(argv[i] + 6, NULL, 0);
    else if (strncmp(argv[i], "until=", 6) == 0)
      until = strtoull(argv[i] + 6, NULL, 0);
    else if (strncmp(argv[i], "from=", 5) == 0)
      extent(argv[i] + 5, &from, &from_size);
    else if (strncmp(argv[i], "to=", 3) == 0)
      extent(argv[i] + 3, &to, &to_size);
    else if (strncmp(argv[i], "enter=", 6) == 0)
      enter = strtoull(argv[i] + 6, NULL, 0);
    else if (strncmp(argv[i], "watch=", 6) == 0)
      addresses(argv[i] + 6);
    else if (strncmp(argv[i], "stores=", 7) == 0)
      extent(argv[i] + 7, &stores, &stores_size);
  }
  if (!out || !entry)
    return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, write_down, NULL);
  return 0;
}
