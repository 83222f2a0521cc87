/* SPDX-License-Identifier: Apache-2.0
 *
 * As much of HTTP/1.1 (RFC 9112) as pages need that fit one answer: GET, one
 * request for each connection, several clients at a time.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_CLIENTS 16u
#define HTTP_REQUEST 1024u /* bytes of the longest request, its headers included */
#define HTTP_ANSWER 4096u  /* bytes of the longest page: less than TCP_SND_BUF, so that it goes out in one piece */

/* Writes the page of `path` into `page` and returns its length; -1: there is no such page. `type` gets its MIME type. */
typedef int http_page(const char *path, char *page, size_t size, const char **type);

bool http_open(unsigned port, http_page *page);

#endif
