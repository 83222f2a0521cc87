/* SPDX-License-Identifier: Apache-2.0
 *
 * Dies with its device running, and in its next life lets it go on where it stood, before it has said that it was reset: what
 * the device writes then is of nobody's asking.
 */
#include "nvme_admin.h"

int main(void) {
  if (life() == 1) {
    controller_start();
    identify_into(0, address_for_device(identified));
    say("fair %d", done_within(0, 10000000000) && identified[0] == 0x36 ? 0 : 1);
    attempting("to die with the device running");
    __asm__ volatile("ud2");
  }
  attempting("to let the device write in life %u", life());
  identify_into(1, address_for_device(identified));
  if (done_within(1, 300000000) || identified[0] != 0)
    escaped("the device of life 1 wrote in life %u", life());
  return verdict();
}
