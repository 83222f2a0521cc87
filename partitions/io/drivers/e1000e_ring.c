/* SPDX-License-Identifier: Apache-2.0
 *
 * The rings: frames out, buffers in (datasheet, 7.1 and 7.2). The hot path.
 * Nothing that the card writes is an index: it only says how far it is.
 */
#include "access.h"
#include "e1000e.h"

/* Entries of a ring in use and tags that are lost are together never more than E1000E_MASK: so `lost` has room for all. */
static void count_transmit_free(struct e1000e *card) {
  uint32_t used = card->transmit.tail - card->transmit.head + card->lost_transmit.count;
  card->network.transmit_free = used < E1000E_TRANSMIT_DEPTH ? E1000E_TRANSMIT_DEPTH - used : 0;
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
  count_transmit_free(card);
}

/* --- frames out --- */

static inline struct e1000e_transmit_descriptor *entry(struct e1000e_transmit *out, uint32_t index) {
  return &out->ring[index & E1000E_MASK];
}

/* Fills the descriptors of a frame from `index` on, without handing them over. Returns the frame's bytes. */
static inline uint32_t put_segments(struct e1000e_transmit *out, uint32_t index, const struct network_segment *segments,
                                    uint32_t count, uint32_t options) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t length = segments[i].length;
    if (length - 1 >= NETWORK_FRAME_MAX)
      return 0;
    bytes += length;
    *entry(out, index + i) = (struct e1000e_transmit_descriptor){segments[i].physical, TRANSMIT_DATA | length, options};
  }
  return bytes <= NETWORK_FRAME_MAX ? bytes : 0;
}

/* A sum from `start` to the frame's end, to be put at start + offset; the card takes places in one byte each. */
static inline uint64_t context_of(struct network_checksum checksum) {
  return CONTEXT_TUCSS(checksum.start) | CONTEXT_TUCSO(checksum.start + checksum.offset);
}

static inline bool can_sum(struct network_checksum checksum, uint32_t bytes) {
  uint32_t place = (uint32_t)checksum.start + checksum.offset;
  return place <= 0xff && place + 2 <= bytes;
}

static void put_context(struct e1000e_transmit *out, struct network_checksum checksum) {
  uint32_t kind = checksum.offset == 16 ? TRANSMIT_TUCMD_TCP : 0;
  out->context = context_of(checksum);
  *entry(out, out->tail) = (struct e1000e_transmit_descriptor){out->context, TRANSMIT_CONTEXT | kind, 0};
}

/* The card is to tell when it is through with the last descriptor queued. */
static inline void ask_report(struct e1000e_transmit *out) {
  uint32_t last = out->tail - 1;
  entry(out, last)->command |= TRANSMIT_RS;
  out->report[out->report_next++ & E1000E_MASK] = last;
  out->unreported = 0;
}

static uint32_t pad(struct e1000e *card, uint32_t index, uint32_t bytes, uint32_t options) {
  uint64_t zeroes = (uint64_t)(uintptr_t)card->memory->zeroes + card->bias;
  *entry(&card->transmit, index) =
      (struct e1000e_transmit_descriptor){zeroes, TRANSMIT_DATA | (TRANSMIT_LEAST - bytes), options};
  return index + 1;
}

enum network_result e1000e_transmit(struct network_device *device, const struct network_segment *segments,
                                    uint32_t count, struct network_checksum checksum, uint32_t tag) {
  struct e1000e *card = e1000e_of(device);
  struct e1000e_transmit *out = &card->transmit;
  if (!card->ready || count - 1 >= NETWORK_SEGMENTS)
    return NETWORK_REFUSED;
  uint32_t used = out->tail - out->head + card->lost_transmit.count;
  if (used + count + E1000E_EXTRA > E1000E_MASK)
    return NETWORK_BUSY;
  bool sum = checksum.start, new_context = sum && context_of(checksum) != out->context;
  uint32_t options = sum ? TRANSMIT_TXSM : 0, end = out->tail + new_context;
  uint32_t bytes = put_segments(out, end, segments, count, options);
  if (bytes == 0 || (sum && !can_sum(checksum, bytes)))
    return NETWORK_REFUSED;
  end += count;
  if (bytes < TRANSMIT_LEAST)
    end = pad(card, end, bytes, options);
  if (new_context)
    put_context(out, checksum);
  entry(out, end - 1)->command |= TRANSMIT_EOP | TRANSMIT_IFCS;
  out->frame[out->next++ & E1000E_MASK] = (struct e1000e_frame){tag, end};
  out->tail = end;
  if (++out->unreported == E1000E_REPORT_EACH)
    ask_report(out);
  count_transmit_free(card);
  return NETWORK_TAKEN;
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

static uint32_t tell_lost(struct e1000e_lost *lost, struct network_sent *sent, uint32_t limit) {
  uint32_t count = 0;
  while (count < limit && lost->count)
    sent[count++] = (struct network_sent){lost->tag[--lost->count], NETWORK_ERROR_RESET};
  return count;
}

uint32_t e1000e_sent(struct network_device *device, struct network_sent *sent, uint32_t limit) {
  struct e1000e *card = e1000e_of(device);
  struct e1000e_transmit *out = &card->transmit;
  uint32_t count = 0;
  if (card->lost_transmit.count) {
    count = tell_lost(&card->lost_transmit, sent, limit);
  } else if (out->first != out->next) {
    look_at_reports(out);
    for (; count < limit && out->head != out->done; count++) {
      const struct e1000e_frame *frame = &out->frame[out->first++ & E1000E_MASK];
      out->head = frame->end;
      sent[count] = (struct network_sent){frame->tag, 0};
    }
  }
  if (count)
    count_transmit_free(card);
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

/* A frame that is no frame: longer than a buffer, so in parts, which the card was told not to take; or of a length that
   cannot be. */
static inline uint32_t error_of(struct e1000e_receive *in, uint32_t status, uint32_t length) {
  bool part = in->inside || !(status & RECEIVE_EOP);
  in->inside = !(status & RECEIVE_EOP);
  if (status & RECEIVE_BAD)
    return RECEIVE_ERROR(status);
  return part || length - 1 >= NETWORK_FRAME_MAX ? NETWORK_ERROR_NONSENSE : 0;
}

static inline struct network_received received_as(struct e1000e_receive *in, uint64_t written, uint32_t tag) {
  uint32_t status = (uint32_t)written, error = error_of(in, status, RECEIVE_LENGTH(written));
  bool right = (status & (RECEIVE_TCPCS | RECEIVE_UDPCS)) && !(status & (RECEIVE_TCPE | RECEIVE_IPE | RECEIVE_IXSM));
  return (struct network_received){tag, error ? 0 : RECEIVE_LENGTH(written), error, right && !error};
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
    for (; count < limit && in->head != in->tail; in->head++, count++) {
      uint32_t place = in->head & E1000E_MASK;
      uint64_t written = __atomic_load_n(&in->ring[place].written, __ATOMIC_ACQUIRE);
      if (!(written & RECEIVE_DD))
        break;
      received[count] = received_as(in, written, in->tag[place]);
    }
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
