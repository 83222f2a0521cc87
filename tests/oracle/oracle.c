/* SPDX-License-Identifier: Apache-2.0
 *
 * A QEMU plugin that checks the physical address of every access of every partition, and of ring 0, against rules that
 * oracle_kit.py makes of the image's database. It does not look at page tables: what they let through is what is checked.
 * Whose an access is the physical page of its instruction says. What devices do is not seen. Debian ships no header: the part of
 * the plugin API, version 1 (QEMU 7.2, include/qemu/qemu-plugin.h), that is used here is declared here.
 *
 * Arguments: rules=FILE, out=FILE, entry=ADDRESS (the image's first instruction; what ran before is firmware). A line of
 * the rules: `text OWNER START SIZE` (instructions there are OWNER's), `allow OWNER START SIZE RIGHTS` (r, w, rw),
 * `forbid START SIZE` (never ring 0's), and `implied OWNER START SIZE RIGHTS`: what the processor itself accesses when OWNER
 * is interrupted or uses a port, by ring 0's addresses; an access of the program's own to the same bytes would not be told
 * from that. Owner 0 is ring 0, 1 + n partition n. Numbers hexadecimal, whole pages but for the implied. The result: a line
 * `checked OWNER READS WRITES`, then `fault OWNER KIND PHYSICAL VIRTUAL INSTRUCTION TIMES` for each kind of fault in each pair
 * of pages, then `whole`.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W, QEMU_PLUGIN_MEM_RW };
typedef void translated(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void executed(unsigned, void *);
typedef void accessed(unsigned, qemu_plugin_meminfo_t, uint64_t, void *);
typedef void ended(qemu_plugin_id_t, void *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed *, enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, accessed *, enum qemu_plugin_cb_flags,
                                      enum qemu_plugin_mem_rw, void *);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, ended *, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t, uint64_t);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t, const struct qemu_info *, int,
                                                               char **);

#define PAGE_SHIFT 12
#define PAGES (1u << 20) /* of the first 4 GiB: no board's plan goes beyond */
#define OWNERS 65
#define NOBODY 0xff
#define FAULTS 4096
#define IMPLIED 16
#define RING_0 0x8000000000000000ull /* virtual addresses from here on */

/* Of each page: who may read and who may write it, a bit for each partition; whose its instructions are; not ring 0's. */
static uint64_t may_read[PAGES], may_write[PAGES];
static uint8_t text_of[PAGES];
static bool forbidden[PAGES];

/* Bytes that the processor accesses on its own, for each owner. */
static struct {
  uint64_t start, size;
  bool store;
} implied[OWNERS][IMPLIED];
static size_t implied_count[OWNERS];

static const char *out;
static uint64_t entry;
static const uint8_t *memory; /* where guest-physical 0 stands in this process */
static uint64_t reads[OWNERS], writes[OWNERS];

struct fault {
  unsigned owner;
  char kind; /* r, w, x */
  uint64_t physical, virtual, instruction, times;
};

static struct fault faults[FAULTS];
static size_t fault_count;

static void note(unsigned owner, char kind, uint64_t physical, uint64_t virtual, uint64_t instruction) {
  for (size_t i = 0; i < fault_count; i++) {
    struct fault *old = &faults[i];
    if (old->owner == owner && old->kind == kind && old->physical >> PAGE_SHIFT == physical >> PAGE_SHIFT &&
        old->instruction >> PAGE_SHIFT == instruction >> PAGE_SHIFT) {
      old->times++;
      return;
    }
  }
  if (fault_count < FAULTS)
    faults[fault_count++] = (struct fault){owner, kind, physical, virtual, instruction, 1};
}

static bool allowed(unsigned owner, bool store, uint64_t physical) {
  uint64_t page = physical >> PAGE_SHIFT;
  if (owner == 0)
    return page >= PAGES || !forbidden[page];
  return page < PAGES && ((store ? may_write : may_read)[page] >> (owner - 1) & 1) != 0;
}

static bool is_implied(unsigned owner, bool store, uint64_t physical, uint64_t virtual) {
  for (size_t i = 0; virtual >= RING_0 && i < implied_count[owner]; i++)
    if (physical - implied[owner][i].start < implied[owner][i].size && store == implied[owner][i].store)
      return true;
  return false;
}

/* `data`: the owner, and the instruction's virtual address above it. */
static void access_made(unsigned processor, qemu_plugin_meminfo_t info, uint64_t virtual, void *data) {
  (void)processor;
  unsigned owner = (uintptr_t)data & 0xff;
  bool store = qemu_plugin_mem_is_store(info);
  struct qemu_plugin_hwaddr *place = qemu_plugin_get_hwaddr(info, virtual);
  uint64_t physical = place ? qemu_plugin_hwaddr_phys_addr(place) : UINT64_MAX;
  (store ? writes : reads)[owner]++;
  if (!allowed(owner, store, physical) && !is_implied(owner, store, physical, virtual))
    note(owner, store ? 'w' : 'r', physical, virtual, (uint64_t)((intptr_t)data >> 8));
}

/* Once for each time that such an instruction runs, since translation alone would not mean that it did. */
static void nobodys_instruction(unsigned processor, void *data) {
  (void)processor;
  uint64_t physical = (uintptr_t)data;
  note(NOBODY, 'x', physical, physical, physical);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    uint64_t virtual = qemu_plugin_insn_vaddr(instruction);
    if (!memory && virtual == entry)
      memory = (const uint8_t *)qemu_plugin_insn_haddr(instruction) - entry;
    if (!memory)
      continue;
    uint64_t physical = (uint64_t)((const uint8_t *)qemu_plugin_insn_haddr(instruction) - memory);
    uint64_t page = physical >> PAGE_SHIFT;
    unsigned owner = page < PAGES ? text_of[page] : NOBODY;
    if (owner == NOBODY)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, nobodys_instruction, QEMU_PLUGIN_CB_NO_REGS,
                                             (void *)(uintptr_t)physical);
    else
      qemu_plugin_register_vcpu_mem_cb(instruction, access_made, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                       (void *)(uintptr_t)(virtual << 8 | owner));
  }
}

static void write_down(qemu_plugin_id_t id, void *unused) {
  (void)id, (void)unused;
  FILE *file = fopen(out, "w");
  if (!file)
    return;
  for (unsigned owner = 0; owner < OWNERS; owner++)
    if (reads[owner] || writes[owner])
      fprintf(file, "checked %u %" PRIu64 " %" PRIu64 "\n", owner, reads[owner], writes[owner]);
  for (size_t i = 0; i < fault_count; i++)
    fprintf(file, "fault %u %c %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %" PRIu64 "\n", faults[i].owner, faults[i].kind,
            faults[i].physical, faults[i].virtual, faults[i].instruction, faults[i].times);
  fputs("whole\n", file);
  fclose(file);
}

static bool imply(unsigned owner, uint64_t start, uint64_t size, bool store) {
  if (owner >= OWNERS || implied_count[owner] == IMPLIED)
    return false;
  size_t place = implied_count[owner]++;
  implied[owner][place].start = start;
  implied[owner][place].size = size;
  implied[owner][place].store = store;
  return true;
}

static bool take_rule(const char *line) {
  unsigned owner;
  uint64_t start, size;
  char rights[8] = "";
  if (sscanf(line, "forbid %" SCNx64 " %" SCNx64, &start, &size) == 2) {
    for (uint64_t page = start >> PAGE_SHIFT; page < (start + size) >> PAGE_SHIFT && page < PAGES; page++)
      forbidden[page] = true;
    return true;
  }
  if (sscanf(line, "implied %u %" SCNx64 " %" SCNx64 " %7s", &owner, &start, &size, rights) == 4)
    return imply(owner, start, size, rights[0] == 'w');
  bool text = sscanf(line, "text %u %" SCNx64 " %" SCNx64, &owner, &start, &size) == 3;
  if (!text && sscanf(line, "allow %u %" SCNx64 " %" SCNx64 " %7s", &owner, &start, &size, rights) != 4)
    return false;
  if (owner >= OWNERS || (!text && owner == 0))
    return false;
  for (uint64_t page = start >> PAGE_SHIFT; page < (start + size) >> PAGE_SHIFT && page < PAGES; page++) {
    if (text)
      text_of[page] = (uint8_t)owner;
    if (strchr(rights, 'r'))
      may_read[page] |= 1ull << (owner - 1);
    if (strchr(rights, 'w'))
      may_write[page] |= 1ull << (owner - 1);
  }
  return true;
}

static bool take_rules(const char *name) {
  char line[256];
  FILE *file = name ? fopen(name, "r") : NULL;
  if (!file)
    return false;
  bool good = true;
  while (good && fgets(line, sizeof line, file))
    good = take_rule(line);
  fclose(file);
  return good;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
  (void)info;
  const char *rules = NULL;
  memset(text_of, NOBODY, sizeof text_of);
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "out=", 4) == 0)
      out = strdup(argv[i] + 4);
    else if (strncmp(argv[i], "rules=", 6) == 0)
      rules = argv[i] + 6;
    else if (strncmp(argv[i], "entry=", 6) == 0)
      entry = strtoull(argv[i] + 6, NULL, 0);
  }
  if (!out || !entry || !take_rules(rules))
    return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, write_down, NULL);
  return 0;
}
