#include "broadcaster/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

struct sources {
    const char *name;
    size_t count;
    char boot_id[BOOT_ID_SIZE];
    uint64_t sequences[]; /* the last of each */
};

int sources_new(const char *name, size_t count, const struct random_source *random,
                struct sources **ret_sources)
{
    struct sources *s = calloc(1, sizeof(*s) + count * sizeof(s->sequences[0]));
    if (!s)
        return -ENOMEM;
    s->name = name;
    s->count = count;
    (void)snprintf(s->boot_id, sizeof(s->boot_id), "%016" PRIx64, random->next(random->context));
    *ret_sources = s;
    return 0;
}

void sources_free(struct sources *sources)
{
    free(sources);
}

size_t sources_count(const struct sources *sources)
{
    return sources->count;
}

const char *sources_boot_id(const struct sources *sources)
{
    return sources->boot_id;
}

uint64_t source_next_sequence(struct sources *sources, size_t index)
{
    return ++sources->sequences[index];
}

void source_path(const struct sources *sources, size_t index, char path[static SOURCE_PATH_SIZE])
{
    if (sources->count == 1)
        (void)snprintf(path, SOURCE_PATH_SIZE, "/machines/%.100s", sources->name);
    else
        (void)snprintf(path, SOURCE_PATH_SIZE, "/machines/%.100s-%zu", sources->name, index + 1);
}
