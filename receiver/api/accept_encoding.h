#pragma once

/* Which coding a client wants of those that the dashboard's files exist in (RFC 9110, 12.5.3). */

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BROTLI, CODING_NONE };

/*
 * The acceptable coding of the highest weight; among equals brotli, then gzip. `header` is the
 * value of Accept-Encoding, NULL if there is none (identity then). CODING_NONE: the client refuses
 * all three. Elements that are not of the form are passed over.
 */
enum coding accept_encoding_choose(const char *header);
