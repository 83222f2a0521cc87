/* SPDX-License-Identifier: Apache-2.0
 *
 * The I/O partition: drivers that know no client, servers that know no
 * register, and this loop. Which devices and channels there are, the descriptor
 * page says.
 */
#include "address.h"
#include "calls.h"
#include "channels.h"
#include "devices.h"
#include "sources.h"

int main(void) {
  const struct descriptor_page *page = (const struct descriptor_page *)DESCRIPTOR_ADDRESS;
  struct events events;
  devices_open(page);
  channels_open(page);
  for (;;) {
    bool more = devices_run();
    calls_wait(more ? 0 : devices_deadline(), &events);
    sources_dispatch(&events);
    devices_look();
  }
}
