/* SPDX-License-Identifier: Apache-2.0
 *
 * A QEMU plugin that counts, for each conditional jump of the monitor, how often it was taken and how often not. Debian ships no
 * header: the part of the plugin API, version 1 (QEMU 7.2, include/qemu/qemu-plugin.h), that is used here is declared here.
 *
 * Arguments: out=FOLDER, in which each run leaves a file of its own, text=START:SIZE, the monitor's code (virtual). The file's
 * first line is `text HASH` of the code that ran, so that a build with a planted fault is told from the real one; then a
 * line for each jump that was executed: `ADDRESS NOT-TAKEN TAKEN`.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void translated(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void executed(unsigned, void *);
typedef void ended(qemu_plugin_id_t, void *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated *);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, executed *, enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, executed *, enum qemu_plugin_cb_flags, void *);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, ended *, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t, const struct qemu_info *, int,
                                                               char **);

#define CODE_MOST 0x100000u

struct jump {
  uint64_t next, target;
  uint64_t passed, taken;
};

static char *folder;
static uint64_t text, text_size;
static const uint8_t *code; /* where `text` stands in this process */
static struct jump jumps[CODE_MOST], *last;

/* A conditional jump ends a translated block: the start of the next one says where it went. */
static void at_jump(unsigned processor, void *jump) {
  (void)processor;
  last = jump;
}

static void at_start(unsigned processor, void *address) {
  (void)processor;
  if (!last)
    return;
  if ((uint64_t)address == last->next)
    last->passed++;
  else if ((uint64_t)address == last->target)
    last->taken++;
  last = NULL;
}

/* Jcc rel8 is 70 to 7f, Jcc rel32 0f 80 to 0f 8f (SDM 2A, Jcc). Returns how far it jumps from its end; 0 for what is no Jcc. */
static int64_t displacement(const uint8_t *bytes, size_t size) {
  int32_t wide = 0;
  if (size == 2 && (bytes[0] & 0xf0) == 0x70)
    return (int8_t)bytes[1];
  if (size == 6 && bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80)
    memcpy(&wide, bytes + 2, sizeof wide);
  return wide;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  uint64_t start = qemu_plugin_tb_vaddr(block);
  if (start - text >= text_size)
    return;
  qemu_plugin_register_vcpu_tb_exec_cb(block, at_start, QEMU_PLUGIN_CB_NO_REGS, (void *)start);
  if (!code)
    code = (const uint8_t *)qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(block, 0)) - (start - text);
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    uint64_t address = qemu_plugin_insn_vaddr(instruction);
    size_t size = qemu_plugin_insn_size(instruction);
    int64_t distance = displacement(qemu_plugin_insn_data(instruction), size);
    if (distance == 0 || address - text >= text_size)
      continue;
    struct jump *jump = &jumps[address - text];
    jump->next = address + size;
    jump->target = jump->next + (uint64_t)distance;
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_jump, QEMU_PLUGIN_CB_NO_REGS, jump);
  }
}

/* FNV-1a of 64 bits. */
static uint64_t hash(const uint8_t *bytes, uint64_t size) {
  uint64_t value = 0xcbf29ce484222325u;
  for (uint64_t i = 0; i < size; i++)
    value = (value ^ bytes[i]) * 0x100000001b3u;
  return value;
}

/* Named *.run only when it is whole. */
static void write_down(qemu_plugin_id_t id, void *unused) {
  (void)id, (void)unused;
  char *beside, *name;
  if (!code || asprintf(&beside, "%s/XXXXXX", folder) < 0)
    return;
  FILE *file = fdopen(mkstemp(beside), "w");
  if (!file || asprintf(&name, "%s.run", beside) < 0)
    return;
  fprintf(file, "text %#" PRIx64 "\n", hash(code, text_size));
  for (uint64_t i = 0; i < text_size; i++)
    if (jumps[i].passed || jumps[i].taken)
      fprintf(file, "%#" PRIx64 " %" PRIu64 " %" PRIu64 "\n", text + i, jumps[i].passed, jumps[i].taken);
  if (fclose(file) == 0)
    rename(beside, name);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
  (void)info;
  char *end = NULL;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "out=", 4) == 0)
      folder = strdup(argv[i] + 4);
    else if (strncmp(argv[i], "text=", 5) == 0)
      text = strtoull(argv[i] + 5, &end, 0);
  }
  if (end && *end == ':')
    text_size = strtoull(end + 1, NULL, 0);
  if (!folder || text_size == 0 || text_size > CODE_MOST)
    return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, write_down, NULL);
  return 0;
}
