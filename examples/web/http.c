// SPDX-License-Identifier: Apache-2.0
// A request may come in pieces of any size and from somebody who never ends it: it has a buffer of its own until it is
// whole, and a client that says nothing for HTTP_PATIENCE is hung up on, so that the places for clients come back.
#include "http.h"

#include "lwip/tcp.h"

#include "parclose.h"

#define POLL_HALF_SECONDS 2
#define HTTP_PATIENCE 10u /* polls */

struct client {
  struct tcp_pcb *pcb; /* null: the place is free */
  size_t length;
  unsigned idle; /* polls since something came */
  char request[HTTP_REQUEST + 1];
};

static struct client clients[HTTP_CLIENTS];
static http_page *make_page;

static err_t hang_up(struct client *client) {
  struct tcp_pcb *pcb = client->pcb;
  client->pcb = NULL;
  tcp_arg(pcb, NULL);
  tcp_recv(pcb, NULL);
  tcp_err(pcb, NULL);
  tcp_poll(pcb, NULL, 0);
  if (tcp_close(pcb) == ERR_OK)
    return ERR_OK;
  tcp_abort(pcb); /* no memory to close it in an orderly way */
  return ERR_ABRT;
}

/* --- the answer --- */

static bool put(struct client *client, const char *text, size_t size) {
  return tcp_write(client->pcb, text, (u16_t)size, TCP_WRITE_FLAG_COPY) == ERR_OK;
}

static err_t answer(struct client *client, const char *status, const char *type, const char *page, size_t size) {
  char head[256];
  int length = format(head, sizeof head,
                      "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                      "Connection: close\r\n\r\n",
                      status, type, size);
  if (put(client, head, (size_t)length) && put(client, page, size))
    tcp_output(client->pcb);
  return hang_up(client); /* what was written goes out before the end does */
}

static err_t refuse(struct client *client, const char *status) {
  return answer(client, status, "text/plain", status, strlen(status));
}

/* --- the request --- */

/* "GET /path HTTP/1.1": the path, cut out of the request; null where it is something else. */
static char *path_of(char *request) {
  if (strncmp(request, "GET /", 5) != 0)
    return NULL;
  char *path = request + 4;
  char *end = strchr(path, ' ');
  if (!end || strncmp(end + 1, "HTTP/1.", 7) != 0)
    return NULL;
  *end = '\0';
  return path;
}

static err_t answer_request(struct client *client) {
  static char page[HTTP_ANSWER];
  const char *type = "text/plain";
  char *path = path_of(client->request);
  if (!path)
    return refuse(client, "400 Bad Request");
  int size = make_page(path, page, sizeof page, &type);
  if (size < 0)
    return refuse(client, "404 Not Found");
  return answer(client, "200 OK", type, page, (size_t)size < sizeof page ? (size_t)size : sizeof page - 1);
}

static bool is_whole(const struct client *client) {
  for (size_t i = 0; i + 4 <= client->length; i++)
    if (memcmp(client->request + i, "\r\n\r\n", 4) == 0)
      return true;
  return false;
}

static err_t take(void *context, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  struct client *client = context;
  if (!data || error != ERR_OK) {
    if (data)
      pbuf_free(data);
    return hang_up(client);
  }
  size_t room = HTTP_REQUEST - client->length;
  bool fits = data->tot_len <= room;
  client->length += pbuf_copy_partial(data, client->request + client->length, (u16_t)room, 0);
  client->request[client->length] = '\0';
  client->idle = 0;
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  if (is_whole(client))
    return answer_request(client);
  return fits ? ERR_OK : refuse(client, "431 Request Header Fields Too Large");
}

/* --- clients come and go --- */

static void lost(void *context, err_t error) {
  (void)error;
  ((struct client *)context)->pcb = NULL; /* lwIP has freed it */
}

static err_t look(void *context, struct tcp_pcb *pcb) {
  struct client *client = context;
  (void)pcb;
  return ++client->idle < HTTP_PATIENCE ? ERR_OK : hang_up(client);
}

static err_t welcome(void *context, struct tcp_pcb *pcb, err_t error) {
  (void)context;
  if (error != ERR_OK || !pcb)
    return ERR_VAL;
  for (unsigned i = 0; i < HTTP_CLIENTS; i++)
    if (!clients[i].pcb) {
      clients[i] = (struct client){.pcb = pcb};
      tcp_arg(pcb, &clients[i]);
      tcp_recv(pcb, take);
      tcp_err(pcb, lost);
      tcp_poll(pcb, look, POLL_HALF_SECONDS);
      return ERR_OK;
    }
  tcp_abort(pcb); /* no place: the client hears so at once */
  return ERR_ABRT;
}

bool http_open(unsigned port, http_page *page) {
  make_page = page;
  struct tcp_pcb *pcb = tcp_new();
  if (!pcb || tcp_bind(pcb, IP_ADDR_ANY, (u16_t)port) != ERR_OK)
    return false;
  pcb = tcp_listen(pcb);
  if (pcb)
    tcp_accept(pcb, welcome);
  return pcb != NULL;
}
