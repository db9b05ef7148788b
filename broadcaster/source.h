#pragma once

/* The machines that this process plays: their names, and the sequence of each. */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"

#define SOURCE_PATH_SIZE 128 /* "/machines/<name>-<number>" and NUL */
#define BOOT_ID_SIZE     17  /* 64 random bits in hexadecimal, and NUL */

struct sources;

/* One machine called `name`, or `count` of them called name-1 to name-<count>. The name is
 * borrowed. Draws the boot id. -ENOMEM. */
MUST_CHECK int sources_new(const char *name, size_t count, const struct random_source *random,
                           struct sources **ret_sources);
void sources_free(struct sources *sources);
DEFINE_CLEANUP(struct sources *, sources_free);

size_t sources_count(const struct sources *sources);
const char *sources_boot_id(const struct sources *sources);

/* Contiguous from 1 for each source in this boot. */
uint64_t source_next_sequence(struct sources *sources, size_t index);
void source_path(const struct sources *sources, size_t index, char path[static SOURCE_PATH_SIZE]);
