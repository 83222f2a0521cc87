/* SPDX-License-Identifier: Apache-2.0
 *
 * The rings: frames out, buffers in (datasheet, 7.1 and 7.2). The hot path.
 * Nothing that the card writes is an index: it only says how far it is.
 */
#include "access.h"
#include "e1000e.h"

/* Descriptors in use and frames that are lost are together never more than E1000E_MASK: so `lost` has room for all. */
static inline void set_room(struct e1000e *card, uint32_t room) {
  card->transmit.room = room;
  card->network.transmit_free = room > E1000E_EXTRA ? room - E1000E_EXTRA : 0;
}

/* --- with every reset --- */

void e1000e_rings_lose(struct e1000e *card) {
  struct e1000e_receive *in = &card->receive;
  struct e1000e_transmit *out = &card->transmit;
  for (; in->head != in->tail; in->head++)
    card->lost_receive.tag[card->lost_receive.count++] = in->tag[in->head & E1000E_MASK];
  for (; out->first != out->next; out->first++)
    card->lost_transmit.tag[card->lost_transmit.count++] = out->frame[out->first & E1000E_MASK].tag;
  out->head = out->tail;
  set_room(card, E1000E_MASK - card->lost_transmit.count);
}

void e1000e_rings_start(struct e1000e *card) {
  struct e1000e_receive *in = &card->receive;
  struct e1000e_transmit *out = &card->transmit;
  in->head = in->tail = in->told = 0;
  in->inside = false;
  out->head = out->tail = out->told = out->done = 0;
  out->first = out->next = out->unreported = out->report_first = out->report_next = 0;
  out->context = 0;
  for (uint32_t i = 0; i < E1000E_ENTRIES; i++) {
    in->ring[i] = (struct e1000e_receive_descriptor){0};
    out->ring[i] = (struct e1000e_transmit_descriptor){0};
  }
  card->network.transmit_depth = E1000E_TRANSMIT_DEPTH;
  card->network.receive_depth = E1000E_MASK;
  card->network.receive_bytes = E1000E_RECEIVE_BYTES;
  card->network.receive_free = E1000E_MASK - card->lost_receive.count;
}

/* --- frames out --- */

static inline struct e1000e_transmit_descriptor *entry(struct e1000e_transmit *out, uint32_t index) {
  return &out->ring[index & E1000E_MASK];
}

/* The card is to tell when it is through with the last descriptor queued. */
static void ask_report(struct e1000e_transmit *out) {
  uint32_t last = out->tail - 1;
  entry(out, last)->command |= TRANSMIT_RS;
  out->report[out->report_next++ & E1000E_MASK] = last;
  out->unreported = 0;
}

static __attribute__((noinline)) struct e1000e_transmit_descriptor *pad(struct e1000e *card, uint32_t index,
                                                                        uint32_t bytes, uint32_t options) {
  struct e1000e_transmit_descriptor *next = entry(&card->transmit, index);
  uint64_t zeroes = (uint64_t)(uintptr_t)card->memory->zeroes + card->bias;
  *next = (struct e1000e_transmit_descriptor){zeroes, TRANSMIT_DATA | (TRANSMIT_LEAST - bytes), options};
  return next;
}

/* A frame from descriptor `index` on, behind what was queued. A frame that is refused leaves nothing that counts. */
static inline enum network_result queue(struct e1000e *card, uint32_t index, const struct network_segment *segments,
                                        uint32_t count, uint32_t options, uint32_t tag) {
  struct e1000e_transmit *out = &card->transmit;
  struct e1000e_transmit_descriptor *last;
  uint32_t bytes = 0;
  do {
    uint32_t length = segments->length;
    if (length - 1 >= NETWORK_FRAME_MAX)
      return NETWORK_REFUSED;
    bytes += length;
    last = entry(out, index++);
    last->address = segments++->physical;
    last->command = TRANSMIT_DATA | length;
    last->status = options;
  } while (--count);
  if (bytes > NETWORK_FRAME_MAX)
    return NETWORK_REFUSED;
  if (bytes < TRANSMIT_LEAST)
    last = pad(card, index++, bytes, options);
  last->command |= TRANSMIT_EOP | TRANSMIT_IFCS;
  out->frame[out->next++ & E1000E_MASK] = (struct e1000e_frame){tag, index};
  set_room(card, out->room - (index - out->tail));
  out->tail = index;
  if (++out->unreported == E1000E_REPORT_EACH)
    ask_report(out);
  return NETWORK_TAKEN;
}

static uint32_t bytes_of(const struct network_segment *segments, uint32_t count) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < count && segments[i].length <= NETWORK_FRAME_MAX; i++)
    bytes += segments[i].length;
  return bytes;
}

/* A sum from `start` to the frame's end, to be put at start + offset. The card takes places in one byte each, and keeps what
   it was told last. */
static __attribute__((noinline)) enum network_result queue_with_sum(struct e1000e *card,
                                                                    const struct network_segment *segments,
                                                                    uint32_t count, struct network_checksum checksum,
                                                                    uint32_t tag) {
  struct e1000e_transmit *out = &card->transmit;
  uint32_t place = (uint32_t)checksum.start + checksum.offset, index = out->tail;
  if (place > 0xff || place + 2 > bytes_of(segments, count))
    return NETWORK_REFUSED;
  uint64_t context = CONTEXT_TUCSS(checksum.start) | CONTEXT_TUCSO(place);
  uint32_t kind = TRANSMIT_CONTEXT | (checksum.offset == 16 ? TRANSMIT_TUCMD_TCP : 0);
  if (context != out->context)
    *entry(out, index++) = (struct e1000e_transmit_descriptor){context, kind, 0};
  enum network_result result = queue(card, index, segments, count, TRANSMIT_TXSM, tag);
  if (result == NETWORK_TAKEN)
    out->context = context;
  return result;
}

enum network_result e1000e_transmit(struct network_device *device, const struct network_segment *segments,
                                    uint32_t count, struct network_checksum checksum, uint32_t tag) {
  struct e1000e *card = e1000e_of(device);
  if (!card->ready || count - 1 >= NETWORK_SEGMENTS)
    return NETWORK_REFUSED;
  if (count + E1000E_EXTRA > card->transmit.room)
    return NETWORK_BUSY;
  if (checksum.start)
    return queue_with_sum(card, segments, count, checksum, tag);
  return queue(card, card->transmit.tail, segments, count, 0, tag);
}

/* How far the card says that it is. */
static void look_at_reports(struct e1000e_transmit *out) {
  while (out->report_first != out->report_next) {
    uint32_t last = out->report[out->report_first & E1000E_MASK];
    if (!(__atomic_load_n(&entry(out, last)->status, __ATOMIC_ACQUIRE) & TRANSMIT_DD))
      return;
    out->done = last + 1;
    out->report_first++;
  }
}

static uint32_t tell_lost(struct e1000e *card, struct network_sent *sent, uint32_t limit) {
  struct e1000e_lost *lost = &card->lost_transmit;
  uint32_t count = 0;
  while (count < limit && lost->count)
    sent[count++] = (struct network_sent){lost->tag[--lost->count], NETWORK_ERROR_RESET};
  set_room(card, card->transmit.room + count);
  return count;
}

uint32_t e1000e_sent(struct network_device *device, struct network_sent *sent, uint32_t limit) {
  struct e1000e *card = e1000e_of(device);
  struct e1000e_transmit *out = &card->transmit;
  if (card->lost_transmit.count)
    return tell_lost(card, sent, limit);
  if (out->first == out->next)
    return 0;
  look_at_reports(out);
  uint32_t count = 0, head = out->head, first = out->first;
  for (; count < limit && head != out->done; count++) {
    const struct e1000e_frame *frame = &out->frame[first++ & E1000E_MASK];
    head = frame->end;
    sent[count] = (struct network_sent){frame->tag, 0};
  }
  set_room(card, out->room + (head - out->head));
  out->head = head;
  out->first = first;
  return count;
}

/* --- buffers in --- */

enum network_result e1000e_receive(struct network_device *device, struct network_segment buffer, uint32_t tag) {
  struct e1000e *card = e1000e_of(device);
  struct e1000e_receive *in = &card->receive;
  if (!card->ready || buffer.length < E1000E_RECEIVE_BYTES)
    return NETWORK_REFUSED;
  if (device->receive_free == 0)
    return NETWORK_BUSY;
  in->ring[in->tail & E1000E_MASK] = (struct e1000e_receive_descriptor){buffer.physical, 0};
  in->tag[in->tail++ & E1000E_MASK] = tag;
  device->receive_free--;
  return NETWORK_TAKEN;
}

static inline bool is_right(uint32_t status) {
  return (status & (RECEIVE_TCPCS | RECEIVE_UDPCS)) && !(status & (RECEIVE_TCPE | RECEIVE_IPE | RECEIVE_IXSM));
}

/* What the card says that a frame has wrong; or a frame that is no frame: longer than a buffer, so in parts, which the card
   was told not to take; or of a length that cannot be. */
static __attribute__((noinline)) uint32_t error_of(struct e1000e_receive *in, uint32_t status) {
  in->inside = !(status & RECEIVE_EOP);
  return status & RECEIVE_BAD ? RECEIVE_ERROR(status) : NETWORK_ERROR_NONSENSE;
}

static uint32_t tell_lost_buffers(struct e1000e_lost *lost, struct network_received *received, uint32_t limit) {
  uint32_t count = 0;
  while (count < limit && lost->count)
    received[count++] = (struct network_received){lost->tag[--lost->count], 0, NETWORK_ERROR_RESET, false};
  return count;
}

uint32_t e1000e_received(struct network_device *device, struct network_received *received, uint32_t limit) {
  struct e1000e *card = e1000e_of(device);
  struct e1000e_receive *in = &card->receive;
  uint32_t count = 0;
  if (card->lost_receive.count) {
    count = tell_lost_buffers(&card->lost_receive, received, limit);
  } else {
    uint32_t head = in->head, tail = in->tail;
    for (; count < limit && head != tail; head++, count++) {
      uint64_t written = __atomic_load_n(&in->ring[head & E1000E_MASK].written, __ATOMIC_ACQUIRE);
      uint32_t status = (uint32_t)written, length = RECEIVE_LENGTH(written);
      if (!(status & RECEIVE_DD))
        break;
      bool whole = (status & (RECEIVE_EOP | RECEIVE_BAD)) == RECEIVE_EOP && !in->inside;
      received[count].tag = in->tag[head & E1000E_MASK];
      if (whole && length - 1 < NETWORK_FRAME_MAX) {
        received[count].length = length;
        received[count].error = 0;
        received[count].checksum_right = is_right(status);
      } else {
        received[count].length = 0;
        received[count].error = error_of(in, status);
        received[count].checksum_right = false;
      }
    }
    in->head = head;
  }
  device->receive_free += count;
  return count;
}

/* --- both --- */

void e1000e_commit(struct network_device *device) {
  struct e1000e *card = e1000e_of(device);
  struct e1000e_receive *in = &card->receive;
  struct e1000e_transmit *out = &card->transmit;
  if (!card->ready)
    return;
  if (out->told != out->tail) {
    if (out->unreported)
      ask_report(out);
    out->told = out->tail;
    register_write32(card->registers + E1000E_TDT, out->tail & E1000E_MASK);
  }
  if (in->told != in->tail) {
    in->told = in->tail;
    register_write32(card->registers + E1000E_RDT, in->tail & E1000E_MASK);
  }
}
