#include "receiver/query/grammar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"

/* Of the value, as much as a message has room for. */
static int refuse(struct err *e, const char *value, const char *name, const char *range)
{
    return FAIL(e, EINVAL, "%s must be %s, it is '%.64s%s'", name, range, value,
                strlen(value) > 64 ? "..." : "");
}

static int set_type(struct query *query, const char *value, struct err *e)
{
    if (!event_type_expand(value, query->type, sizeof query->type)) {
        return refuse(e, value, "type", "hello, event, session, raw or a type of 1 to 256 bytes");
    }
    return 0;
}

static int set_source(struct query *query, const char *value, struct err *e)
{
    if (!event_source_expand(value, query->source, sizeof query->source)) {
        return refuse(e, value, "source", "a machine's name or a source of 1 to 512 bytes");
    }
    return 0;
}

static int set_criticality(struct query *query, const char *value, struct err *e)
{
    /* The lowest number stands for "none" in an event. */
    if (str_parse_int(value, EVENT_NO_NUMBER + 1, INT64_MAX, &query->criticality_gt) < 0) {
        return refuse(e, value, "criticality_gt", "an integer of 64 bits");
    }
    return 0;
}

static int set_since(struct query *query, const char *value, struct err *e)
{
    if (clock_parse_us(value, strlen(value), &query->since_us) < 0) {
        return refuse(e, value, "since", "an RFC 3339 time such as 2026-11-20T21:38:01Z");
    }
    return 0;
}

static int set_until(struct query *query, const char *value, struct err *e)
{
    if (clock_parse_us(value, strlen(value), &query->until_us) < 0) {
        return refuse(e, value, "until", "an RFC 3339 time such as 2026-11-20T21:38:01Z");
    }
    return 0;
}

static int set_q(struct query *query, const char *value, struct err *e)
{
    size_t len = strlen(value);
    if (!str_is_utf8(value, len, NULL)) {
        return FAIL(e, EINVAL, "q must be 1 to %d bytes of UTF-8, it is not UTF-8", QUERY_TEXT_MAX);
    }
    if (!str_copy_n(query->q, sizeof query->q, value, len)) {
        return FAIL(e, EINVAL, "q must be 1 to %d bytes of UTF-8, it has %zu", QUERY_TEXT_MAX, len);
    }
    return 0;
}

static int set_after(struct query *query, const char *value, struct err *e)
{
    if (cursor_parse(value, &query->after) < 0) {
        return refuse(e, value, "after", "a cursor such as 5f3a9c01-1204");
    }
    return 0;
}

static int set_before(struct query *query, const char *value, struct err *e)
{
    if (cursor_parse(value, &query->before) < 0) {
        return refuse(e, value, "before", "a cursor such as 5f3a9c01-1204");
    }
    return 0;
}

static int set_limit(struct query *query, const char *value, struct err *e)
{
    int64_t limit;
    if (str_parse_int(value, 1, QUERY_LIMIT_MAX, &limit) < 0) {
        return refuse(e, value, "limit", "an integer from 1 to 1000");
    }
    query->limit = (unsigned)limit;
    return 0;
}

static int set_order(struct query *query, const char *value, struct err *e)
{
    if (!str_equal(value, "asc") && !str_equal(value, "desc")) {
        return refuse(e, value, "order", "asc or desc");
    }
    query->ascending = str_equal(value, "asc");
    return 0;
}

static const struct {
    enum query_key key;
    const char *name;
    int (*set)(struct query *query, const char *value, struct err *e);
} keys[] = {
    {QUERY_TYPE, "type", set_type},
    {QUERY_SOURCE, "source", set_source},
    {QUERY_CRITICALITY_GT, "criticality_gt", set_criticality},
    {QUERY_SINCE, "since", set_since},
    {QUERY_UNTIL, "until", set_until},
    {QUERY_Q, "q", set_q},
    {QUERY_AFTER, "after", set_after},
    {QUERY_BEFORE, "before", set_before},
    {QUERY_LIMIT, "limit", set_limit},
    {QUERY_ORDER, "order", set_order},
};

void query_init(struct query *query)
{
    *query = (struct query){
        .criticality_gt = EVENT_NO_NUMBER,
        .since_us = INT64_MIN,
        .until_us = INT64_MAX,
        .limit = QUERY_LIMIT_DEFAULT,
    };
}

enum query_key query_key_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (str_equal(keys[i].name, name)) {
            return keys[i].key;
        }
    }
    return 0;
}

const char *query_key_name(enum query_key key)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].key == key) {
            return keys[i].name;
        }
    }
    return NULL;
}

void query_key_list(unsigned set, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!(set & keys[i].key)) {
            continue;
        }
        int n = snprintf(text + len, size - len, "%s%s", len ? ", " : "", keys[i].name);
        if (n < 0 || (size_t)n >= size - len) {
            text[len] = '\0';
            return;
        }
        len += (size_t)n;
    }
}

int query_set(struct query *query, enum query_key key, const char *value, struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].key != key) {
            continue;
        }
        if (query->given & key) {
            return FAIL(e, EINVAL, "%s may be given only once", keys[i].name);
        }
        if (value[0] == '\0') {
            return FAIL(e, EINVAL, "%s is empty", keys[i].name);
        }
        int r = keys[i].set(query, value, e);
        if (r == 0) {
            query->given |= key;
        }
        return r;
    }
    return FAIL(e, EINVAL, "unknown parameter");
}
