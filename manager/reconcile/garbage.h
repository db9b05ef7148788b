#pragma once

/*
 * Which of the images that this manager has pulled nothing needs any more: no document names them,
 * and no container of anybody's was made from them. Pure: from what the engine lists.
 */

#include <cjson/cJSON.h>

#include "common/base/arena.h"
#include "manager/reconcile/pulled.h"

/* Images as documents name them; all zero is empty. */
struct image_names {
    struct arena arena;
    const char **items; /* in one form: "docker.io/library/busybox:latest" */
    size_t count;
    bool failed; /* out of memory: some are missing */
};
void image_names_add(struct image_names *names, const char *image);
void image_names_deinit(struct image_names *names);

struct garbage_look {
    const cJSON *images;     /* GET /images/json?all=1&digests=1 */
    const cJSON *containers; /* GET /containers/json?all=1 */
    const struct image_names *needed;
    int64_t now_us;     /* wall time */
    int64_t min_age_us; /* that nothing needs it; 0: at once */
};

struct garbage {
    struct pulled_image *image;
    const char *target; /* what to ask the engine to remove: a name or an id, of `look` */
};

/*
 * Notes in `pulled` since when each is not needed, and drops what the engine has no more. The list
 * has the longest unused first; the caller frees it. -ENOMEM.
 *
 * Only the name that was pulled is to go where it still leads to the image: with other names left
 * the engine keeps the image. Where the name leads elsewhere by now (a tag was moved) the image
 * goes by its id, but only without any tag: a tag left is somebody else's.
 */
MUST_CHECK int garbage_find(struct pulled *pulled, const struct garbage_look *look,
                            struct garbage **ret_list, size_t *ret_count);
