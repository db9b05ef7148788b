#include "manager/reconcile/garbage.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/engine/image_ref.h"

#define NAME_SIZE (2 * (IMAGE_NAME_MAX + 1) + IMAGE_DIGEST_MAX + 1)

/* ---- names ---- */

/* As Docker understands it, in one form; a digest beats a tag. False for "<none>:<none>". */
static bool normalize(const char *text, char name[static NAME_SIZE])
{
    struct image_ref ref;

    if (!text || image_ref_parse(text, &ref, NULL) < 0)
        return false;
    (void)snprintf(name, NAME_SIZE, "%s/%s%s%s", ref.registry, ref.path, ref.digest[0] ? "@" : ":",
                   ref.digest[0] ? ref.digest : ref.tag);
    return true;
}

void image_names_add(struct image_names *names, const char *image)
{
    char name[NAME_SIZE];

    if (!normalize(image, name))
        return; /* no engine has it either */
    const char **items = arena_grow(&names->arena, names->items, names->count, sizeof(*items));
    if (items)
        names->items = items;
    const char *copy = items ? arena_copy(&names->arena, name, strlen(name)) : NULL;
    if (copy)
        names->items[names->count++] = copy;
    else
        names->failed = true;
}

void image_names_deinit(struct image_names *names)
{
    arena_deinit(&names->arena);
    *names = (struct image_names){0};
}

static bool is_named(const struct image_names *names, const char *text)
{
    char name[NAME_SIZE];

    if (!normalize(text, name))
        return false;
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->items[i], name))
            return true;
    return false;
}

/* ---- what the engine has ---- */

static const char *id_of(const cJSON *object, const char *member)
{
    return cJSON_GetStringValue(json_member(object, member));
}

static const cJSON *find_image(const cJSON *images, const char *id)
{
    const cJSON *image;

    cJSON_ArrayForEach(image, images)
    {
        if (str_equal(id_of(image, "Id"), id))
            return image;
    }
    return NULL;
}

static bool is_in_use(const cJSON *containers, const char *id)
{
    const cJSON *container;

    cJSON_ArrayForEach(container, containers)
    {
        if (str_equal(id_of(container, "ImageID"), id))
            return true;
    }
    return false;
}

static bool is_needed(const struct garbage_look *look, const cJSON *image, const char *id)
{
    const cJSON *name;

    if (is_in_use(look->containers, id) || is_named(look->needed, id))
        return true;
    cJSON_ArrayForEach(name, json_member(image, "RepoTags"))
    {
        if (is_named(look->needed, cJSON_GetStringValue(name)))
            return true;
    }
    cJSON_ArrayForEach(name, json_member(image, "RepoDigests"))
    {
        if (is_named(look->needed, cJSON_GetStringValue(name)))
            return true;
    }
    return false;
}

/* The engine's own form of the reference among these; NULL: it leads elsewhere. */
static const char *find_name(const cJSON *names, const char *reference)
{
    char wanted[NAME_SIZE], there[NAME_SIZE];
    const cJSON *name;

    if (!normalize(reference, wanted))
        return NULL;
    cJSON_ArrayForEach(name, names)
    {
        if (normalize(cJSON_GetStringValue(name), there) && str_equal(wanted, there))
            return cJSON_GetStringValue(name);
    }
    return NULL;
}

static bool has_tag(const cJSON *image)
{
    const cJSON *tag;
    char name[NAME_SIZE];

    cJSON_ArrayForEach(tag, json_member(image, "RepoTags"))
    {
        if (normalize(cJSON_GetStringValue(tag), name))
            return true;
    }
    return false;
}

/* NULL: it is somebody else's by now. */
static const char *target_of(const cJSON *image, const struct pulled_image *pulled)
{
    const char *target = find_name(json_member(image, "RepoTags"), pulled->reference);

    if (!target)
        target = find_name(json_member(image, "RepoDigests"), pulled->reference);
    return target || has_tag(image) ? target : pulled->id;
}

/* ---- the choice ---- */

static void note_unused(struct pulled *pulled, struct pulled_image *image, int64_t unused_us)
{
    pulled->changed |= image->unused_us != unused_us;
    image->unused_us = unused_us;
}

/* What to remove of the engine; NULL: nothing. */
static const char *judge(struct pulled *pulled, struct pulled_image *image, const cJSON *there,
                         const struct garbage_look *look)
{
    const char *target = is_needed(look, there, image->id) ? NULL : target_of(there, image);

    if (!target)
        note_unused(pulled, image, 0);
    else if (image->unused_us == 0 || image->unused_us > look->now_us) /* the clock was set back */
        note_unused(pulled, image, look->now_us);
    return target && look->now_us - image->unused_us >= look->min_age_us ? target : NULL;
}

static int compare(const void *a, const void *b)
{
    const struct pulled_image *x = ((const struct garbage *)a)->image;
    const struct pulled_image *y = ((const struct garbage *)b)->image;

    if (x->unused_us != y->unused_us)
        return x->unused_us < y->unused_us ? -1 : 1;
    return (x->pulled_us > y->pulled_us) - (x->pulled_us < y->pulled_us);
}

int garbage_find(struct pulled *pulled, const struct garbage_look *look, struct garbage **ret_list,
                 size_t *ret_count)
{
    struct garbage *list = calloc(pulled->count + 1, sizeof(*list));
    struct pulled_image *image, *next;
    size_t count = 0;

    if (!list)
        return -ENOMEM;
    for (image = TAILQ_FIRST(&pulled->images); image; image = next) {
        const cJSON *there = find_image(look->images, image->id);

        next = TAILQ_NEXT(image, link);
        if (!there) {
            pulled_remove(pulled, image);
            continue;
        }
        list[count].image = image;
        list[count].target = judge(pulled, image, there, look);
        count += list[count].target != NULL;
    }
    qsort(list, count, sizeof(*list), compare);
    *ret_list = list;
    *ret_count = count;
    return 0;
}
