#include "common/mqtt/topic.h"

#include <errno.h>
#include <string.h>

#include "common/base/str.h"

#define FILTER_MAX_BYTES 65535 /* MQTT 3.1.1, section 4.7.3 */

static bool is_level_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool topic_level_is_valid(const char *level)
{
    size_t len = 0;

    while (is_level_char(level[len]))
        len++;
    return len > 0 && level[len] == '\0' && len < TOPIC_LEVEL_SIZE;
}

void topic_level_format(char level[static TOPIC_LEVEL_SIZE], const char *name)
{
    size_t len = 0;

    for (; len < TOPIC_LEVEL_SIZE - 1 && name[len]; len++)
        level[len] = is_level_char(name[len]) ? name[len] : '_';
    level[len] = '\0';
}

int topic_format(char *topic, size_t size, const char *const *levels)
{
    size_t len = 0;

    for (size_t i = 0; levels[i]; i++) {
        size_t level_len = strlen(levels[i]);
        if (!topic_level_is_valid(levels[i]))
            return -EINVAL;
        if (len + level_len + 2 > size)
            return -ENAMETOOLONG;
        if (i > 0)
            topic[len++] = '/';
        memcpy(topic + len, levels[i], level_len + 1);
        len += level_len;
    }
    return len > 0 ? 0 : -EINVAL;
}

/* One level of a topic or filter, as a view. */
struct level {
    const char *start;
    size_t len;
    bool last;
};

static struct level level_at(const char *start)
{
    size_t len = strcspn(start, "/");
    return (struct level){start, len, start[len] == '\0'};
}

static struct level level_after(struct level level)
{
    return level_at(level.start + level.len + 1);
}

static bool level_is(struct level level, char wildcard)
{
    return level.len == 1 && level.start[0] == wildcard;
}

static bool level_equals(struct level a, struct level b)
{
    return a.len == b.len && memcmp(a.start, b.start, a.len) == 0;
}

/* A '#' that is all that follows also matches the level above it (section 4.7.1.2). */
static bool only_hash_follows(struct level level)
{
    if (level.last)
        return false;
    struct level next = level_after(level);
    return next.last && level_is(next, '#');
}

static bool is_wildcard(struct level level)
{
    return level_is(level, '+') || level_is(level, '#');
}

/* Topics that begin with '$' match no filter that begins with a wildcard (section 4.7.2). */
static bool dollar_separates(const char *a, const char *b)
{
    return (a[0] == '$' && is_wildcard(level_at(b))) || (b[0] == '$' && is_wildcard(level_at(a)));
}

bool topic_filters_overlap(const char *a, const char *b)
{
    struct level one = level_at(a);
    struct level two = level_at(b);

    if (dollar_separates(a, b))
        return false;
    for (;;) {
        if (level_is(one, '#') || level_is(two, '#'))
            return true;
        if (!level_is(one, '+') && !level_is(two, '+') && !level_equals(one, two))
            return false;
        if (one.last && two.last)
            return true;
        if (one.last)
            return only_hash_follows(two);
        if (two.last)
            return only_hash_follows(one);
        one = level_after(one);
        two = level_after(two);
    }
}

bool topic_filter_covers(const char *filter, const char *other)
{
    struct level one = level_at(filter);
    struct level two = level_at(other);

    if (dollar_separates(filter, other))
        return false;
    for (;;) {
        if (level_is(one, '#') || level_is(two, '#'))
            return level_is(one, '#');
        if (!level_is(one, '+') && !level_equals(one, two))
            return false;
        if (one.last)
            return two.last;
        if (two.last)
            return only_hash_follows(one);
        one = level_after(one);
        two = level_after(two);
    }
}

/* A topic name has no wildcards, so it is the filter that matches itself alone. */
bool topic_matches(const char *filter, const char *topic)
{
    return topic[0] != '\0' && !strpbrk(topic, "+#") && topic_filters_overlap(filter, topic);
}

bool topic_filter_is_valid(const char *filter)
{
    size_t len = strlen(filter);

    if (len == 0 || len > FILTER_MAX_BYTES || !str_is_utf8(filter, len, NULL))
        return false;
    for (struct level level = level_at(filter);; level = level_after(level)) {
        bool has_wildcard =
            memchr(level.start, '+', level.len) || memchr(level.start, '#', level.len);
        if (has_wildcard && !is_wildcard(level))
            return false;
        if (level_is(level, '#') && !level.last)
            return false;
        if (level.last)
            return true;
    }
}

bool topic_level(const char *topic, unsigned index, char *level, size_t size)
{
    struct level found = level_at(topic);

    for (unsigned i = 0; i < index; i++) {
        if (found.last)
            return false;
        found = level_after(found);
    }
    return str_copy_n(level, size, found.start, found.len);
}
