#pragma once

/*
 * The images that this manager has pulled, kept over restarts (images.json of the store): what may
 * be removed once nothing needs it. An image that the engine had before, under whatever name, is
 * somebody else's and does not get here.
 */

#include <stdbool.h>
#include <sys/queue.h>

#include "manager/desired/store.h"

#define PULLED_MAX 4096

struct pulled_image {
    TAILQ_ENTRY(pulled_image) link;
    char *id, *reference; /* as the engine and as the document has it */
    int64_t pulled_us;    /* wall time, as below */
    int64_t unused_us;    /* since when nothing needs it, as far as was looked; 0: something does */
};

struct pulled {
    TAILQ_HEAD(pulled_images, pulled_image) images;
    size_t count;
    bool changed; /* since it was read or written */
};

void pulled_init(struct pulled *pulled);
void pulled_deinit(struct pulled *pulled);

/* Nothing where nothing is stored; -EINVAL, -errno, -ENOMEM. */
MUST_CHECK int pulled_read(struct pulled *pulled, const struct store *store, struct err *e);
MUST_CHECK int pulled_write(struct pulled *pulled, struct store *store, struct err *e);

/* Of one that is there already it is noted that it is needed. -ENOMEM, -ENOSPC. */
MUST_CHECK int pulled_add(struct pulled *pulled, const char *id, const char *reference,
                          int64_t now_us);
bool pulled_has(const struct pulled *pulled, const char *id);
void pulled_remove(struct pulled *pulled, struct pulled_image *image);
