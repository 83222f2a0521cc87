/* SPDX-License-Identifier: Apache-2.0
 *
 * Computes for ever: never waits, never gives up a turn.
 */
int main(void) {
  for (;;)
    __asm__ volatile("");
}
