#pragma once

#include <stdbool.h>

/*
 * True if a request that changes something may come from where it says it comes from: from a page
 * of our own, or from no page at all. `origin`, `host` and `fetch_site` are the values of Origin
 * (RFC 6454, section 7), Host and Sec-Fetch-Site (W3C Fetch Metadata), NULL where absent. Only
 * browsers send the first and the last, and no page can forge them. The scheme is not compared:
 * behind an Ingress the page has https and we have not.
 */
bool origin_is_own(const char *origin, const char *host, const char *fetch_site);
