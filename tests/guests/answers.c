/* SPDX-License-Identifier: Apache-2.0
 *
 * The other end: lives until its channel is signalled, or a while.
 */
#include "parclose.h"

int main(void) {
  const struct channel_descriptor *from = channel("feed") ? channel("feed") : channel("talk");
  wait_event(from->event, deadline_in_ns(1000000000));
  return 0;
}
