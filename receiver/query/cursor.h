#pragma once

/* `<epoch>-<seq>`: a place in the journal's one order. Epoch is 8 hex digits, drawn when a journal
 * is made; seq is decimal, from 1; 0 is the place before the first. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

#define CURSOR_TEXT_SIZE 32

struct cursor {
    uint32_t epoch;
    uint64_t seq;
};

void cursor_format(struct cursor cursor, char text[static CURSOR_TEXT_SIZE]);
/* -EINVAL unless `text` is exactly of the form (seq up to 2^63 - 1). */
MUST_CHECK int cursor_parse(const char *text, struct cursor *ret_cursor);
