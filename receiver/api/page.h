#pragma once

/* Keyset pagination: the URL of the next page, as the body's `next` and as a Link header. */

#include <stdint.h>

#include "common/base/buf.h"
#include "common/http/server.h"

/* A page ends when its body has grown to this, whatever its limit: 1,000 events of 256 KiB each
 * would be 256 MB. `next` goes on from there. Pages are small while clients that do not read hold
 * PAGE_SHORT_BYTES of answers. */
#define PAGE_SOFT_BYTES  ((size_t)4 << 20)
#define PAGE_SMALL_BYTES ((size_t)64 << 10)
#define PAGE_SHORT_BYTES ((size_t)128 << 20)
/* What a body may take for its last row. */
#define PAGE_MAX_BYTES ((size_t)40 << 20)

/*
 * What leads to the next page: the request's path and parameters as they came (decoded, encoded
 * again), without those that the next page sets. Prepared before a read, finished after it.
 */
struct page {
    struct buf url;   /* "/api/v1/events?type=hello&" */
    const char *key;  /* the parameter that moves: "after" or "before" */
    unsigned limit;   /* rows of a page */
    size_t max_bytes; /* after which it ends; the first row always fits */
    unsigned items;   /* in the body so far */
    bool is_full;     /* rows were left out: there is a next page */
    bool has_next;    /* set by page_set_next */
};

/* `key` is static; `unread_bytes`: what clients have not taken of earlier answers. */
void page_init(struct page *page, struct http_request *request, const char *key, unsigned limit,
               size_t unread_bytes);
void page_deinit(struct page *page);
/*
 * Before a row of about `len` bytes goes into the body: false when it is too many for this page,
 * and from then on. A page's first row always fits. Else writes the comma between items.
 */
MUST_CHECK bool page_begin_item(struct page *page, struct buf *body, size_t len);
/* There is another page, which begins behind `position` (a cursor, a source, an id). */
void page_set_next(struct page *page, const char *position);
void page_set_next_id(struct page *page, int64_t id);
/* Appends `"next":"<url>"` or `"next":null`. */
void page_append_next(const struct page *page, struct buf *body);

/* Room for a header value. A longer URL stands in the body only: a response's headers share the few
 * kilobytes of a connection with its request. */
#define PAGE_LINK_SIZE 1024
/* The value of Link (RFC 8288); false if there is no next page or no room. */
MUST_CHECK bool page_format_link(const struct page *page, char link[static PAGE_LINK_SIZE]);

/* Appends `text` percent-encoded for the query of a URL (RFC 3986, section 3.4): all but unreserved
 * characters, ':' and '/'. */
void page_append_encoded(struct buf *out, const char *text);
