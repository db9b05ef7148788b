#include "manager/desired/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json_text.h"
#include "common/base/str.h"

/* A pointer longer than this is cut: the sentence must still find room. */
#define POINTER_MAX 200

static void append_pointer(struct buf *b, const struct place *at)
{
    if (!at)
        return;
    append_pointer(b, at->parent);
    buf_append_char(b, '/');
    if (at->name)
        json_append_pointer_name(b, at->name);
    else
        buf_appendf(b, "%zu", at->index);
}

/* Cut at the end of a character. */
static size_t cut_length(const char *s, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

static void set_pointer(struct rejection *rejection, const struct place *at)
{
    AUTO(buf_deinit) struct buf pointer = BUF_INIT(DOCUMENT_MAX_BYTES);
    size_t len;

    append_pointer(&pointer, at);
    len = pointer.data ? cut_length(pointer.data, pointer.len, POINTER_MAX) : 0;
    if (len > 0)
        memcpy(rejection->pointer, pointer.data, len);
    rejection->pointer[len] = '\0';
}

int reading_fail(const struct reading *r, enum reason_code code, const struct place *at,
                 const char *fmt, ...)
{
    struct rejection *rejection = r->rejection;
    char sentence[sizeof rejection->e.msg];
    va_list args;

    va_start(args, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    rejection->code = code;
    set_pointer(rejection, at);
    return FAIL(&rejection->e, EINVAL, "%s %s",
                rejection->pointer[0] ? rejection->pointer : "the document", sentence);
}

int reading_fail_value(const struct reading *r, const struct place *at, const cJSON *value,
                       const char *wanted)
{
    AUTO(buf_deinit) struct buf shown = BUF_INIT(256);

    json_append_shown(&shown, value);
    return reading_fail(r, REASON_SCHEMA, at, "must be %s, it is %s", wanted,
                        buf_failed(&shown) ? "another" : shown.data);
}

int reading_fail_memory(const struct reading *r)
{
    r->rejection->code = REASON_NONE;
    r->rejection->pointer[0] = '\0';
    return FAIL(&r->rejection->e, ENOMEM, "out of memory");
}

int reading_require(const struct reading *r, const struct place *at, const char *word)
{
    if (!r->safety || safety_allows(r->safety, word))
        return 0;
    return reading_fail(r, REASON_NOT_ALLOWED, at,
                        "is not allowed on this node; its manager would allow it with --allow %s",
                        word);
}

int reading_require_bind(const struct reading *r, const struct place *at, const char *source)
{
    AUTO(buf_deinit) struct buf shown = BUF_INIT(256);

    if (!r->safety || safety_allows_bind(r->safety, source))
        return 0;
    json_append_shown_string(&shown, source);
    return reading_fail(r, REASON_NOT_ALLOWED, at,
                        "mounts %s of the node, which its manager would allow with --allow-bind",
                        buf_failed(&shown) ? "a folder" : shown.data);
}
