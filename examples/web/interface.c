// SPDX-License-Identifier: Apache-2.0
// lwIP on a network channel: frames are copied once each way, for lwIP keeps them as long as it likes and the channel's
// slots are few. What finds no room is lost, as on any wire: TCP sends it again.
#include "interface.h"

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#include "parclose.h"

#define BURST 16u
#define NS_PER_MS 1000000ull
#define LONGEST_MS 1000u

static struct network network;
static struct netif netif;

static err_t send_frame(struct netif *own, struct pbuf *frame) {
  (void)own;
  uint8_t *place = frame->tot_len <= ETHERNET_FRAME ? network_reserve(&network, 0) : NULL;
  if (!place)
    return ERR_MEM;
  pbuf_copy_partial(frame, place, frame->tot_len, 0);
  return network_commit(&network, frame->tot_len) == STATUS_OK ? ERR_OK : ERR_IF;
}

static err_t set_up(struct netif *own) {
  own->name[0] = 'p';
  own->name[1] = 'c';
  own->mtu = 1500;
  own->hwaddr_len = ETHERNET_ADDRESS;
  network_address(&network, own->hwaddr);
  own->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
  own->output = etharp_output;
  own->linkoutput = send_frame;
  return ERR_OK;
}

unsigned interface_address(void) {
  uint8_t address[ETHERNET_ADDRESS];
  network_address(&network, address);
  return address[ETHERNET_ADDRESS - 1];
}

bool interface_open(const char *name, unsigned gateway) {
  ip4_addr_t address, mask, router;
  if (!network_open(&network, channel(name)))
    return false;
  lwip_init();
  IP4_ADDR(&address, 10, 0, 2, interface_address());
  IP4_ADDR(&mask, 255, 255, 255, 0);
  IP4_ADDR(&router, 10, 0, 2, gateway);
  if (!netif_add(&netif, &address, &mask, &router, NULL, set_up, ethernet_input))
    return false;
  netif_set_default(&netif);
  netif_set_up(&netif); /* asks by ARP whether somebody else has the address, and tells everybody who has it now */
  return true;
}

static void take_frame(const void *frame, size_t size) {
  struct pbuf *copy = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);
  if (!copy)
    return;
  pbuf_take(copy, frame, (u16_t)size);
  if (netif.input(copy, &netif) != ERR_OK)
    pbuf_free(copy);
}

bool interface_turn(void) {
  const void *frame;
  size_t size;
  unsigned taken = 0;
  while (taken < BURST && (frame = network_peek(&network, &size, 0))) {
    take_frame(frame, size);
    network_done(&network);
    taken++;
  }
  sys_check_timeouts();
  network_flush(&network);
  return taken == BURST;
}

unsigned interface_event(void) {
  return network.channel->event;
}

uint64_t interface_deadline(void) {
  u32_t pause = sys_timeouts_sleeptime();
  return deadline_in_ns((pause < LONGEST_MS ? pause : LONGEST_MS) * NS_PER_MS);
}

/* --- what lwIP asks of its surroundings --- */

u32_t sys_now(void) {
  return (u32_t)(uptime_ns() / NS_PER_MS);
}

uint32_t interface_sequence(uint16_t port) {
  return (uint32_t)(uptime_ns() / 4000) + (uint32_t)port * 2654435761u;
}

void interface_failed(const char *what, int line) {
  printf("lwIP: %s (line %d)\n", what, line);
  exit(3);
}

int atoi(const char *text) {
  int value = 0;
  while (*text >= '0' && *text <= '9')
    value = value * 10 + (*text++ - '0');
  return value;
}
