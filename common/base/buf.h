#pragma once

/*
 * A growing byte buffer with a mandatory maximum. After a failed append the buffer keeps what it
 * held and remembers the failure: a run of appends is checked once, by buf_failed().
 * `data` is NUL-terminated behind `len` whenever it is not NULL.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t max; /* len never exceeds it */
    bool failed;
};

#define BUF_INIT(max_bytes) ((struct buf){NULL, 0, 0, (max_bytes), false})

void buf_deinit(struct buf *b); /* frees; the buffer may be used again */
void buf_reset(struct buf *b);  /* len 0, failure forgotten, memory kept */

void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_append_str(struct buf *b, const char *s);
void buf_append_char(struct buf *b, char c);
void buf_appendf(struct buf *b, const char *fmt, ...) FORMAT(2, 3);
/* As a JSON string with its quotes; bytes are UTF-8 already. NULL gives `null`. */
void buf_append_json(struct buf *b, const char *s);
void buf_append_json_n(struct buf *b, const char *s, size_t len);

/* True after an append that did not fit `max` or found no memory. */
bool buf_failed(const struct buf *b);

/* Hands the bytes over (caller frees) and leaves the buffer empty. NULL when nothing was appended.
 */
char *buf_take(struct buf *b, size_t *ret_len);

static inline void buf_deinit_cleanup(struct buf *b)
{
    buf_deinit(b);
}
