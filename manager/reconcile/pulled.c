#include "manager/reconcile/pulled.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

void pulled_init(struct pulled *pulled)
{
    *pulled = (struct pulled){0};
    TAILQ_INIT(&pulled->images);
}

static void image_free(struct pulled_image *image)
{
    if (!image)
        return;
    free(image->id);
    free(image->reference);
    free(image);
}
DEFINE_CLEANUP(struct pulled_image *, image_free);

void pulled_remove(struct pulled *pulled, struct pulled_image *image)
{
    TAILQ_REMOVE(&pulled->images, image, link);
    image_free(image);
    pulled->count--;
    pulled->changed = true;
}

void pulled_deinit(struct pulled *pulled)
{
    struct pulled_image *image;

    while ((image = TAILQ_FIRST(&pulled->images)))
        pulled_remove(pulled, image);
}

/* ---- one more ---- */

/* `reference` NULL: any. */
static struct pulled_image *find(const struct pulled *pulled, const char *id, const char *reference)
{
    struct pulled_image *image;

    TAILQ_FOREACH(image, &pulled->images, link)
    {
        if (str_equal(image->id, id) && (!reference || str_equal(image->reference, reference)))
            return image;
    }
    return NULL;
}

bool pulled_has(const struct pulled *pulled, const char *id)
{
    return find(pulled, id, NULL) != NULL;
}

static int append(struct pulled *pulled, const char *id, const char *reference, int64_t pulled_us,
                  int64_t unused_us)
{
    AUTO(image_free) struct pulled_image *image = calloc(1, sizeof(*image));

    if (pulled->count == PULLED_MAX)
        return -ENOSPC;
    if (!image || !(image->id = strdup(id)) || !(image->reference = strdup(reference)))
        return -ENOMEM;
    image->pulled_us = pulled_us;
    image->unused_us = unused_us;
    TAILQ_INSERT_TAIL(&pulled->images, image, link);
    TAKE(image);
    pulled->count++;
    pulled->changed = true;
    return 0;
}

int pulled_add(struct pulled *pulled, const char *id, const char *reference, int64_t now_us)
{
    struct pulled_image *image = find(pulled, id, reference);

    if (!image)
        return append(pulled, id, reference, now_us, 0);
    pulled->changed |= image->unused_us != 0;
    image->unused_us = 0;
    return 0;
}

/* ---- on disk ---- */

static int read_image(struct pulled *pulled, const cJSON *json, struct err *e)
{
    const char *id, *reference;
    int64_t pulled_us, unused_us = 0;

    if (json_get_string(json, "", "id", &id, e) != 0 ||
        json_get_string(json, "", "reference", &reference, e) != 0 ||
        json_get_int(json, "", "pulled", 0, INT64_MAX, &pulled_us, e) != 0 ||
        json_get_int(json, "", "unused", 0, INT64_MAX, &unused_us, e) < 0)
        return FAIL(e, EINVAL, "images.json has an image without an id, a reference or a time");
    return append(pulled, id, reference, pulled_us, unused_us);
}

int pulled_read(struct pulled *pulled, const struct store *store, struct err *e)
{
    AUTO(free) char *text = NULL;
    AUTO(cJSON_Delete) cJSON *json = NULL;
    const cJSON *image;
    size_t len;

    int r = store_read_images(store, &text, &len, e);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = json_parse(text, len, JSON_MAX_DEPTH, &json, e);
    cJSON_ArrayForEach(image, json_member(json, "images"))
    {
        r = r < 0 ? r : read_image(pulled, image, e);
    }
    pulled->changed = false;
    return r;
}

static bool add_image(cJSON *list, const struct pulled_image *image)
{
    cJSON *json = cJSON_CreateObject();

    if (!json || !cJSON_AddItemToArray(list, json)) {
        cJSON_Delete(json);
        return false;
    }
    /* Microseconds until the year 2255 are exact in a double. */
    return cJSON_AddStringToObject(json, "id", image->id) &&
           cJSON_AddStringToObject(json, "reference", image->reference) &&
           cJSON_AddNumberToObject(json, "pulled", (double)image->pulled_us) &&
           cJSON_AddNumberToObject(json, "unused", (double)image->unused_us);
}

int pulled_write(struct pulled *pulled, struct store *store, struct err *e)
{
    AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
    cJSON *list = json ? cJSON_AddArrayToObject(json, "images") : NULL;
    const struct pulled_image *image;
    bool whole = list != NULL;

    TAILQ_FOREACH(image, &pulled->images, link)
    {
        whole = whole && add_image(list, image);
    }
    AUTO(free) char *text = whole ? cJSON_PrintUnformatted(json) : NULL;
    if (!text)
        return FAIL(e, ENOMEM, "out of memory");
    int r = store_write_images(store, text, strlen(text), e);
    if (r == 0)
        pulled->changed = false;
    return r;
}
