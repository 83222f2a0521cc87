/* SPDX-License-Identifier: Apache-2.0
 *
 * Life cycle of an NVMe controller: reset, queues, identification (NVMe 1.4,
 * 3.5.1 and 7.6.1). At reset no DMA is possible yet (bus mastering is off), so
 * reset uses registers alone.
 */
#include "nvme.h"
#include "access.h"
#include "pause.h"

#define ADMIN_SECONDS 5u
#define READY_SECONDS_LEAST 2u
#define DOORBELLS_USED 4u /* two queues of each kind */

static struct nvme *nvme_of(struct block_device *device) {
  return (struct nvme *)device;
}

static bool fail(struct nvme *nvme, const char *problem) {
  nvme->block.problem = problem;
  nvme->ready = false;
  return false;
}

static uint64_t device_address(const struct nvme *nvme, const void *memory) {
  return (uint64_t)(uintptr_t)memory + nvme->bias;
}

/* --- reset --- */

static bool wait_ready(struct nvme *nvme, uint32_t wanted) {
  uint32_t half_seconds = CAP_TO(register_read64(nvme->registers + NVME_CAP)) + 2 * READY_SECONDS_LEAST;
  for (uint32_t i = 0; i < half_seconds * (PAUSES_PER_SECOND / 2); i++) {
    uint32_t status = register_read32(nvme->registers + NVME_CSTS);
    if (status == REGISTER_GONE)
      return false;
    if ((status & CSTS_RDY) == wanted)
      return true;
    if (wanted && (status & CSTS_CFS))
      return false;
    driver_pause();
  }
  return false;
}

static bool reset(struct block_device *device) {
  struct nvme *nvme = nvme_of(device);
  nvme->ready = false;
  register_write32(nvme->registers + NVME_CC, 0);
  if (!wait_ready(nvme, 0))
    return fail(nvme, "the controller does not stop (CSTS.RDY stays set)");
  nvme_lose(nvme);
  return true;
}

/* --- admin commands --- */

static bool await_admin(struct nvme *nvme, struct nvme_completion *completion) {
  for (uint32_t i = 0; i < ADMIN_SECONDS * PAUSES_PER_SECOND; i++) {
    if (nvme_queue_take(&nvme->admin, completion)) {
      nvme_queue_taken(&nvme->admin);
      return true;
    }
    driver_pause();
  }
  return false;
}

static bool admin(struct nvme *nvme, const struct nvme_command *command) {
  struct nvme_completion completion;
  nvme_queue_push(&nvme->admin, command);
  nvme_queue_tell(&nvme->admin);
  return await_admin(nvme, &completion) && COMPLETION_ERROR(completion.status) == 0;
}

static bool identify(struct nvme *nvme, uint32_t what, uint32_t nsid) {
  struct nvme_command command = {
      .opcode = NVME_ADMIN_IDENTIFY, .nsid = nsid, .prp1 = device_address(nvme, nvme->memory->identify), .cdw10 = what};
  return admin(nvme, &command);
}

/* Identify data are little-endian and not aligned for us. */
static uint64_t identified(const struct nvme *nvme, uint32_t offset, uint32_t bytes) {
  const volatile uint8_t *data = &nvme->memory->identify[offset];
  uint64_t value = 0;
  for (uint32_t i = 0; i < bytes; i++)
    value |= (uint64_t)data[i] << (8 * i);
  return value;
}

/* --- start, step by step --- */

static void set_doorbells(struct nvme *nvme, struct nvme_queue *queue, uint32_t number, uint64_t cap) {
  uintptr_t stride = (uintptr_t)4 << CAP_DSTRD(cap);
  queue->tail_doorbell = nvme->registers + NVME_DOORBELLS + 2 * number * stride;
  queue->head_doorbell = queue->tail_doorbell + stride;
}

static bool enable(struct nvme *nvme) {
  uint64_t cap = register_read64(nvme->registers + NVME_CAP);
  if (CAP_MPSMIN(cap) != 0)
    return fail(nvme, "the controller has no 4 KiB pages (CAP.MPSMIN)");
  set_doorbells(nvme, &nvme->admin, 0, cap);
  set_doorbells(nvme, &nvme->io, 1, cap);
  uint32_t entries = CAP_MQES(cap) + 1;
  nvme_queue_reset(&nvme->admin, NVME_ADMIN_ENTRIES);
  nvme_queue_reset(&nvme->io, entries < NVME_IO_ENTRIES ? entries : NVME_IO_ENTRIES);
  register_write32(nvme->registers + NVME_AQA, (NVME_ADMIN_ENTRIES - 1) << 16 | (NVME_ADMIN_ENTRIES - 1));
  register_write64(nvme->registers + NVME_ASQ, device_address(nvme, nvme->memory->admin_submission));
  register_write64(nvme->registers + NVME_ACQ, device_address(nvme, nvme->memory->admin_completion));
  register_write32(nvme->registers + NVME_CC, CC_IOCQES_16 | CC_IOSQES_64 | CC_EN);
  return wait_ready(nvme, CSTS_RDY) || fail(nvme, "the controller does not become ready (CSTS.RDY)");
}

/* MDTS is a power of two of the smallest page, 0: no limit. */
static bool identify_controller(struct nvme *nvme) {
  if (!identify(nvme, CNS_CONTROLLER, 0))
    return fail(nvme, "Identify Controller failed");
  uint32_t mdts = (uint32_t)identified(nvme, CONTROLLER_MDTS, 1);
  nvme->sgl = identified(nvme, CONTROLLER_SGLS, 4) & SGLS_SUPPORTED;
  nvme->block.longest = nvme->sgl ? NVME_SGL_LONGEST : NVME_LONGEST;
  if (mdts && mdts < 20 && NVME_PAGE << mdts < nvme->block.longest)
    nvme->block.longest = NVME_PAGE << mdts;
  uint32_t optional = (uint32_t)identified(nvme, CONTROLLER_ONCS, 2);
  nvme->block.features = BLOCK_FUA | (identified(nvme, CONTROLLER_VWC, 1) & 1 ? BLOCK_CACHE : 0u) |
                         (optional & ONCS_DATASET_MANAGEMENT ? BLOCK_DISCARD : 0u) |
                         (optional & ONCS_WRITE_ZEROES ? BLOCK_ZEROES : 0u);
  return true;
}

/* What is to be issued again must not reach another disk. */
static bool same_controller(struct nvme *nvme) {
  bool same = true;
  for (uint32_t i = 0; i < CONTROLLER_SERIAL_BYTES; i++) {
    uint8_t byte = (uint8_t)identified(nvme, CONTROLLER_SERIAL + i, 1);
    same = same && byte == nvme->serial[i];
    nvme->serial[i] = byte;
  }
  return same;
}

/* MDTS is for commands that transfer data. */
static void set_ranges(struct nvme *nvme) {
  struct block_device *block = &nvme->block;
  bool preferred = identified(nvme, NAMESPACE_NSFEAT, 1) & NSFEAT_PREFERRED;
  uint32_t unit = preferred ? (uint32_t)identified(nvme, NAMESPACE_NPDA, 2) + 1 : 1;
  block->longest_discard = block->features & BLOCK_DISCARD ? NVME_LONGEST_DISCARD : 0;
  block->longest_zeroes = block->features & BLOCK_ZEROES ? NVME_BLOCKS_MOST << nvme->block_shift : 0;
  block->discard_alignment = unit << nvme->block_shift;
  if ((block->features & BLOCK_ZEROES) && (identified(nvme, NAMESPACE_DLFEAT, 1) & DLFEAT_ZEROES))
    block->features |= BLOCK_ZEROES_UNMAP;
}

static bool identify_namespace(struct nvme *nvme) {
  if (!identify(nvme, CNS_ACTIVE_NAMESPACES, 0))
    return fail(nvme, "Identify Active Namespaces failed");
  nvme->nsid = (uint32_t)identified(nvme, 0, 4);
  if (nvme->nsid == 0 || !identify(nvme, CNS_NAMESPACE, nvme->nsid))
    return fail(nvme, "the controller has no active namespace");
  uint32_t format = (uint32_t)identified(nvme, NAMESPACE_FLBAS, 1) & 15;
  uint64_t lbaf = identified(nvme, NAMESPACE_LBAF + 4 * format, 4);
  uint32_t metadata = lbaf & 0xffff, shift = lbaf >> 16 & 0xff;
  if (metadata || shift < 9 || shift > 12)
    return fail(nvme, "the namespace's format is not one of 512 to 4096 bytes without metadata");
  nvme->block_shift = shift;
  nvme->block.block_size = 1u << shift;
  nvme->block.size = identified(nvme, NAMESPACE_NSZE, 8) << shift;
  set_ranges(nvme);
  return true;
}

static bool create_queues(struct nvme *nvme) {
  uint32_t size = (nvme->io.size - 1) << 16 | 1; /* queue 1 */
  struct nvme_command number = {.opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = FEATURE_NUMBER_OF_QUEUES, .cdw11 = 0};
  struct nvme_command completion = {.opcode = NVME_ADMIN_CREATE_CQ,
                                    .prp1 = device_address(nvme, nvme->memory->completion),
                                    .cdw10 = size,
                                    .cdw11 = nvme->interrupt << 16 | QUEUE_INTERRUPTS | QUEUE_CONTIGUOUS};
  struct nvme_command submission = {.opcode = NVME_ADMIN_CREATE_SQ,
                                    .prp1 = device_address(nvme, nvme->memory->submission),
                                    .cdw10 = size,
                                    .cdw11 = 1u << 16 | QUEUE_CONTIGUOUS};
  if (!admin(nvme, &number) || !admin(nvme, &completion) || !admin(nvme, &submission))
    return fail(nvme, "the controller refuses a pair of I/O queues");
  nvme->block.depth = nvme->io.size - 1; /* 4.1.2: a full queue holds one less than its size */
  return true;
}

static bool bring_up(struct nvme *nvme) {
  uint64_t size = nvme->block.size;
  uint32_t nsid = nvme->nsid, depth = nvme->block.depth;
  nvme->aborts = nvme->aborted = 0;
  if (!enable(nvme) || !identify_controller(nvme))
    return false;
  bool same = same_controller(nvme);
  if (!identify_namespace(nvme) || !create_queues(nvme))
    return false;
  if (nsid && (!same || nsid != nvme->nsid || size != nvme->block.size || depth != nvme->block.depth))
    return fail(nvme, "the disk is another than before");
  return true;
}

static bool start(struct block_device *device) {
  struct nvme *nvme = nvme_of(device);
  if (!bring_up(nvme)) {
    nvme_lose(nvme);
    return false;
  }
  nvme_slots_reset(nvme);
  device->problem = 0;
  nvme->ready = true;
  nvme_issue_again(nvme);
  return true;
}

static bool failed(struct block_device *device) {
  uint32_t status = register_read32(nvme_of(device)->registers + NVME_CSTS);
  return status == REGISTER_GONE || (status & CSTS_CFS);
}

static const struct block_driver NVME_DRIVER = {
    .error_words = {"status code type", "code"}, /* 4.6.1 */
    .reset = reset,
    .start = start,
    .submit = nvme_submit,
    .flush = nvme_flush,
    .discard = nvme_discard,
    .zeroes = nvme_zeroes,
    .late = nvme_late,
    .commit = nvme_commit,
    .poll = nvme_poll,
    .failed = failed,
};

struct block_device *nvme_open(const struct driver_resources *given) {
  struct nvme *nvme = given->state;
  struct nvme_memory *memory = given->memory;
  *nvme = (struct nvme){.registers = driver_registers(given, 0, NVME_DOORBELLS + 4 * DOORBELLS_USED),
                        .memory = memory,
                        .bias = given->bias,
                        .interrupt = given->device->interrupt_count > 1};
  nvme->block.driver = &NVME_DRIVER;
  nvme->block.problem = nvme->registers ? 0 : "the controller's registers are not mapped";
  nvme->admin.submission = memory->admin_submission;
  nvme->admin.completion = memory->admin_completion;
  nvme->io.submission = memory->submission;
  nvme->io.completion = memory->completion;
  return &nvme->block;
}
