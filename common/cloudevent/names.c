/* Types, sources, topics and colours: the names around an event. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "common/cloudevent/event.h"

#define MACHINES       "/machines/"
#define TOPIC_NAME_MAX 128 /* characters of one topic level */

static const struct {
    const char *kind;
    const char *type;
} kinds[] = {
    {"hello", EVENT_TYPE_HELLO},
    {"event", EVENT_TYPE_EVENT},
    {"session", EVENT_TYPE_SESSION},
    {"raw", EVENT_TYPE_RAW},
};

const char *event_kind(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].kind;
    return NULL;
}

const char *event_type_of_kind(const char *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].type;
    return NULL;
}

bool event_type_expand(const char *text, char *type, size_t size)
{
    const char *full = event_type_of_kind(text);

    return str_copy(type, size, full ? full : text);
}

/* A source is a URI reference: one with a '/' or a scheme is full, a lone name is a machine's. */
bool event_source_expand(const char *text, char *source, size_t size)
{
    int len;

    if (strpbrk(text, "/:"))
        return str_copy(source, size, text);
    len = snprintf(source, size, MACHINES "%s", text);
    if (len >= 0 && (size_t)len < size)
        return true;
    if (size > 0)
        source[0] = '\0';
    return false;
}

/* The name within a source, without what is the same for all machines. */
static const char *name_of(const char *source)
{
    if (str_starts_with(source, MACHINES))
        return source + strlen(MACHINES);
    return source[0] == '/' ? source + 1 : source;
}

int event_format_topic(const char *source, const char *type, char *topic, size_t size)
{
    const char *kind = event_kind(type);
    const char *name = name_of(source);
    int len;

    if (!kind || !*name)
        return -EINVAL;
    len = snprintf(topic, size, EVENT_TOPIC_PREFIX "%.*s/%s", TOPIC_NAME_MAX, name, kind);
    if (len < 0 || (size_t)len >= size)
        return -ENAMETOOLONG;
    for (char *c = topic + strlen(EVENT_TOPIC_PREFIX); c < topic + len - strlen(kind) - 1; c++)
        if (!isascii(*c) || (!isalnum((unsigned char)*c) && *c != '-'))
            *c = '_';
    return 0;
}

/*
 * Twenty-four hues of one luminance (0.185), so that each stands out from white (4.4 : 1) and from
 * a dark page (#0d1117, 4.1 : 1). A name lies between two neighbours, in one of 16 steps.
 */
static const uint32_t hues[] = {
    0xdc3939, 0xcc4e24, 0xad661f, 0x91731a, 0x7b7b16, 0x668117, 0x4e8517, 0x348818,
    0x188a18, 0x188a35, 0x188850, 0x18876b, 0x178484, 0x1d81a2, 0x2479ce, 0x4b70df,
    0x6868e4, 0x8160e3, 0x9a53e1, 0xb53edd, 0xcc24cc, 0xd626aa, 0xda2e84, 0xdb355f,
};
enum { HUE_STEPS = 16 };

/* FNV-1a, stirred: names that differ in their last digit alone are to differ in colour. */
static uint64_t hash(const char *s)
{
    uint64_t h = 0xcbf29ce484222325;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
    return h ^ (h >> 33);
}

static unsigned blend(uint32_t from, uint32_t to, unsigned shift, unsigned step)
{
    unsigned a = from >> shift & 0xff, b = to >> shift & 0xff;

    return (a * (HUE_STEPS - step) + b * step) / HUE_STEPS;
}

bool event_is_color(const char *text)
{
    return text[0] == '#' && strlen(text) == 7 && strspn(text + 1, "0123456789abcdefABCDEF") == 6;
}

void event_color(const char *source, char color[static EVENT_COLOR_SIZE])
{
    uint64_t place = hash(source) % (ARRAY_SIZE(hues) * HUE_STEPS);
    unsigned step = (unsigned)(place % HUE_STEPS);
    uint32_t from = hues[place / HUE_STEPS];
    uint32_t to = hues[(place / HUE_STEPS + 1) % ARRAY_SIZE(hues)];

    snprintf(color, EVENT_COLOR_SIZE, "#%02x%02x%02x", blend(from, to, 16, step) & 0xff,
             blend(from, to, 8, step) & 0xff, blend(from, to, 0, step) & 0xff);
}
