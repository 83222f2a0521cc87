/* SPDX-License-Identifier: Apache-2.0
 *
 * Life cycle of a virtio network card: reset, features, address, its queues
 * (OASIS virtio 1.1, 5.1.2 to 5.1.5). Not asked for are
 *   mergeable buffers (MRG_RXBUF): a frame is to stand in one buffer;
 *   GUEST_CSUM: the device would hand over frames from its own host without a
 *     checksum, which their receiver may look at itself;
 *   the control queue (CTRL_VQ): without it the device lets every frame pass.
 */
#include "virtio_net.h"
#include "access.h"

#include <stddef.h>

/* 5.1.3 */
#define VIRTIO_NET_F_CSUM (1u << 0)
#define VIRTIO_NET_F_MAC (1u << 5)
#define VIRTIO_NET_F_STATUS (1u << 16)
#define FEATURES (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS)

/* 5.1.4 */
#define CONFIG_MAC 0u
#define CONFIG_STATUS 6u
#define STATUS_LINK_UP 1u
#define CONFIG_SIZE 8u

/* 5.1.2 */
#define QUEUE_RECEIVE 0u
#define QUEUE_TRANSMIT 1u

static struct virtio_net *net_of(struct network_device *device) {
  return (struct virtio_net *)device;
}

static bool fail(struct virtio_net *net, const char *problem) {
  net->network.problem = problem;
  net->ready = false;
  return false;
}

/* --- reset --- */

static void lose_all(struct virtio_net_way *way) {
  for (uint32_t i = 0; i < way->most; i++) {
    if (way->slot[i].state != NET_WITH_DEVICE)
      continue;
    way->slot[i].state = NET_TAKEN_BY_RESET;
    way->lost++;
  }
}

static bool reset(struct network_device *device) {
  struct virtio_net *net = net_of(device);
  net->ready = false;
  const char *problem = virtio_pci_reset(&net->pci);
  if (problem)
    return fail(net, problem);
  lose_all(&net->transmit);
  lose_all(&net->receive);
  return true;
}

/* --- start --- */

static uint64_t device_address(const struct virtio_net *net, const void *memory) {
  return (uint64_t)(uintptr_t)memory + net->bias;
}

/* The first of a slot's descriptors is the header, the rest the data: one buffer for a frame that comes. */
static void prepare(struct virtio_net *net, struct virtio_net_way *way, struct virtio_net_header *headers,
                    uint16_t flags) {
  const struct virtio_queue *queue = &way->queue;
  way->slots = queue->slots;
  for (uint32_t i = 0; i < queue->slots; i++) {
    struct virtio_net_slot *slot = &way->slot[i];
    slot->table = virtio_queue_table(queue, i);
    slot->header = &headers[i];
    slot->head = virtio_queue_head(queue, i);
    slot->link = virtio_queue_link(queue, i, 0);
    headers[i] = (struct virtio_net_header){0};
    slot->table[0] = (struct virtio_descriptor){device_address(net, &headers[i]), VIRTIO_NET_HEADER,
                                                flags | VIRTIO_DESC_NEXT, virtio_queue_link(queue, i, 1)};
  }
}

static const char *set_up_receive(struct virtio_net *net) {
  const struct virtio_queue_plan plan = {.rings = &net->memory->receive,
                                         .tables = net->memory->takes[0],
                                         .bias = net->bias,
                                         .slots = VIRTIO_NET_RECEIVE,
                                         .table_entries = VIRTIO_NET_TAKES,
                                         .direct_entries = VIRTIO_NET_TAKES,
                                         .features = net->pci.features};
  const char *problem = virtio_pci_queue(&net->pci, &net->receive.queue, &plan, QUEUE_RECEIVE);
  if (!problem)
    prepare(net, &net->receive, net->memory->taken, VIRTIO_DESC_WRITE);
  return problem;
}

static const char *set_up_transmit(struct virtio_net *net) {
  const struct virtio_queue_plan plan = {.rings = &net->memory->transmit,
                                         .tables = net->memory->sends[0],
                                         .bias = net->bias,
                                         .slots = VIRTIO_NET_TRANSMIT,
                                         .table_entries = VIRTIO_NET_SENDS,
                                         .direct_entries = VIRTIO_NET_SENDS_DIRECT,
                                         .features = net->pci.features};
  const char *problem = virtio_pci_queue(&net->pci, &net->transmit.queue, &plan, QUEUE_TRANSMIT);
  if (!problem)
    prepare(net, &net->transmit, net->memory->sent, 0);
  return problem;
}

static const char *identify(struct virtio_net *net) {
  if (!(net->pci.features & VIRTIO_NET_F_MAC))
    return "the device has no address of its own";
  for (uint32_t i = 0; i < NETWORK_ADDRESS; i++)
    net->network.address[i] = register_read8(net->pci.device + CONFIG_MAC + i);
  net->network.offloads = (net->pci.features & VIRTIO_NET_F_CSUM) ? NETWORK_OFFLOAD_TRANSMIT : 0;
  return NULL;
}

static bool start(struct network_device *device) {
  struct virtio_net *net = net_of(device);
  const char *problem = virtio_pci_begin(&net->pci, FEATURES);
  if (!problem)
    problem = identify(net);
  if (!problem)
    problem = set_up_receive(net);
  if (!problem)
    problem = set_up_transmit(net);
  if (problem)
    return fail(net, problem);
  device->transmit_depth = net->transmit.slots;
  device->receive_depth = net->receive.slots;
  device->receive_bytes = NETWORK_FRAME_MAX;
  device->transmit_free = virtio_net_slots_reset(&net->transmit);
  device->receive_free = virtio_net_slots_reset(&net->receive);
  virtio_pci_ready(&net->pci);
  device->problem = NULL;
  net->nonsense = false;
  net->ready = true;
  return true;
}

/* --- what is not frames --- */

/* Without the control queue every frame passes. */
static bool filter(struct network_device *device, const uint8_t (*addresses)[NETWORK_ADDRESS], uint32_t count) {
  (void)device, (void)addresses, (void)count;
  return false;
}

/* 5.1.4.2: without the feature, assume that it is up. */
static bool link(struct network_device *device) {
  const struct virtio_net *net = net_of(device);
  if (!(net->pci.features & VIRTIO_NET_F_STATUS))
    return true;
  return register_read16(net->pci.device + CONFIG_STATUS) & STATUS_LINK_UP;
}

static bool failed(struct network_device *device) {
  const struct virtio_net *net = net_of(device);
  return net->nonsense || virtio_pci_failed(&net->pci);
}

static const struct network_driver VIRTIO_NET_DRIVER = {
    .reset = reset,
    .start = start,
    .filter = filter,
    .transmit = virtio_net_transmit,
    .receive = virtio_net_receive,
    .commit = virtio_net_commit,
    .sent = virtio_net_sent,
    .received = virtio_net_received,
    .link = link,
    .failed = failed,
};

struct network_device *virtio_net_open(const struct driver_resources *given) {
  struct virtio_net *net = given->state;
  *net = (struct virtio_net){.memory = given->memory, .bias = given->bias};
  net->transmit.slot = net->transmit_slot;
  net->transmit.most = VIRTIO_NET_TRANSMIT;
  net->receive.slot = net->receive_slot;
  net->receive.most = VIRTIO_NET_RECEIVE;
  net->network.driver = &VIRTIO_NET_DRIVER;
  net->network.problem = virtio_pci_find(&net->pci, given, CONFIG_SIZE);
  return &net->network;
}
