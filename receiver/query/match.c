#include "receiver/query/match.h"

#include <string.h>

#include "common/base/str.h"
#include "receiver/query/lowercase.h"

/* A place in UTF-8 text; `json` says whether backslashes are JSON escapes. */
struct text {
    const unsigned char *at;
    const unsigned char *end;
    bool json;
};

/* The text is well-formed (admission and the grammar saw to it); a torn tail still ends here. */
static uint32_t next_utf8(struct text *text)
{
    unsigned char lead = *text->at++;
    if (lead < 0x80) {
        return lead;
    }
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t point = lead & (0x3fu >> more);
    while (more-- > 0 && text->at < text->end) {
        point = point << 6 | (*text->at++ & 0x3f);
    }
    return point;
}

static uint32_t hex_digit(unsigned char c)
{
    return c <= '9' ? c - (uint32_t)'0' : (c | 0x20u) - 'a' + 10u;
}

/* The four digits of \uXXXX; U+FFFD where they are cut off. */
static uint32_t next_hex4(struct text *text)
{
    if (text->end - text->at < 4) {
        text->at = text->end;
        return 0xfffd;
    }
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        unit = unit << 4 | hex_digit(*text->at++);
    }
    return unit;
}

static uint32_t next_escape_u(struct text *text)
{
    uint32_t unit = next_hex4(text);
    bool high = unit >= 0xd800 && unit < 0xdc00;
    if (!high || text->end - text->at < 6 || text->at[0] != '\\' || text->at[1] != 'u') {
        return unit;
    }
    text->at += 2;
    uint32_t low = next_hex4(text);
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* RFC 8259 section 7. */
static uint32_t next_escape(struct text *text)
{
    if (text->at == text->end) {
        return '\\';
    }
    unsigned char c = *text->at++;
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        return next_escape_u(text);
    default:
        return c;
    }
}

static uint32_t next_point(struct text *text)
{
    if (text->json && *text->at == '\\') {
        text->at++;
        return lowercase(next_escape(text));
    }
    return lowercase(next_utf8(text));
}

/* A needle made ready for Knuth, Morris and Pratt: the text is decoded once, never gone back on. */
struct needle {
    uint32_t points[QUERY_TEXT_MAX];
    unsigned short border[QUERY_TEXT_MAX]; /* longest proper prefix that is a suffix, up to here */
    size_t count;
};

static size_t needle_advance(const struct needle *needle, size_t matched, uint32_t point)
{
    while (matched > 0 && needle->points[matched] != point) {
        matched = needle->border[matched - 1];
    }
    return needle->points[matched] == point ? matched + 1 : 0;
}

static bool needle_prepare(struct needle *needle, const char *utf8)
{
    size_t len = strlen(utf8);
    struct text text = {(const unsigned char *)utf8, (const unsigned char *)utf8 + len, false};
    needle->count = 0;
    while (text.at < text.end) {
        if (needle->count == QUERY_TEXT_MAX) {
            return false;
        }
        needle->points[needle->count++] = next_point(&text);
    }
    needle->border[0] = 0;
    for (size_t i = 1; i < needle->count; i++) {
        needle->border[i] =
            (unsigned short)needle_advance(needle, needle->border[i - 1], needle->points[i]);
    }
    return true;
}

bool query_text_contains(const char *json, size_t len, const char *needle_utf8)
{
    struct needle needle;
    if (!needle_prepare(&needle, needle_utf8)) {
        return false;
    }
    if (needle.count == 0) {
        return true;
    }
    struct text text = {(const unsigned char *)json, (const unsigned char *)json + len, true};
    size_t matched = 0;
    while (text.at < text.end) {
        matched = needle_advance(&needle, matched, next_point(&text));
        if (matched == needle.count) {
            return true;
        }
    }
    return false;
}

static bool criticality_matches(const struct query *query, int64_t criticality)
{
    return criticality != EVENT_NO_NUMBER && criticality > query->criticality_gt;
}

bool query_matches(const struct query *query, const struct match_subject *subject)
{
    unsigned given = query->given;
    if (given & QUERY_TYPE && !str_equal(query->type, subject->type)) {
        return false;
    }
    if (given & QUERY_SOURCE && !str_equal(query->source, subject->source)) {
        return false;
    }
    if (given & QUERY_CRITICALITY_GT && !criticality_matches(query, subject->criticality)) {
        return false;
    }
    if (given & QUERY_SINCE && subject->time_us < query->since_us) {
        return false;
    }
    if (given & QUERY_UNTIL && subject->time_us >= query->until_us) {
        return false;
    }
    if (given & QUERY_Q) {
        return subject->data && query_text_contains(subject->data, subject->data_len, query->q);
    }
    return true;
}
