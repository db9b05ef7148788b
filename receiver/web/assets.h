/*
 * The dashboard's files, embedded at build by cmake/EmbedAssets.cmake. All is static and read-only:
 * any thread may read it, nobody frees it.
 *
 * What a server owes its clients for these files:
 * - Choose the body by Accept-Encoding (RFC 9110, 12.5.3): brotli ("br"), else gzip, else identity;
 *   a coding with q=0 is refused. Send Content-Encoding with the first two.
 * - The ETag is strong, so each body has its own (RFC 9110, 8.8.3.3). If-None-Match is compared
 *   with the tag of the body that would be sent; a 304 carries the same ETag and Vary.
 * - Vary: Accept-Encoding on each 200 and 304, so that a cache does not hand brotli to a client
 *   that cannot read it.
 * - Cache-Control: no-cache. The names carry no version: a browser may keep a file but asks
 *   each time, and after an upgrade never mixes modules of two versions for long.
 * - The Content-Security-Policy of docs/api.md and X-Content-Type-Options: nosniff.
 */
#ifndef RECEIVER_WEB_ASSETS_H
#define RECEIVER_WEB_ASSETS_H

#include <stddef.h>

struct asset_body {
    const unsigned char *data;
    size_t size_bytes;
    const char *etag; /* quoted, from the SHA-256 of the identity bytes and the coding */
};

struct asset {
    const char *path; /* from the root, such as "/js/app.js"; "/" is the page itself */
    const char *content_type;
    struct asset_body identity;
    struct asset_body gzip;
    struct asset_body brotli;
};

/* Every file, the page first. *ret_count is their number, at least 1. */
const struct asset *assets_table(size_t *ret_count);

#endif
