#include "manager/engine/pull_layers.h"

#include "common/base/json.h"
#include "common/base/str.h"

enum stage { STAGE_NONE, STAGE_WAITING, STAGE_DOWNLOADING, STAGE_DOWNLOADED, STAGE_DONE };

/* By its beginning: a retry has its seconds behind it. */
static const struct {
    const char *status;
    enum stage stage;
} stages[] = {
    {"Pulling fs layer", STAGE_WAITING},      {"Waiting", STAGE_WAITING},
    {"Retrying in", STAGE_WAITING},           {"Downloading", STAGE_DOWNLOADING},
    {"Verifying Checksum", STAGE_DOWNLOADED}, {"Download complete", STAGE_DOWNLOADED},
    {"Extracting", STAGE_DOWNLOADED},         {"Pull complete", STAGE_DONE},
    {"Already exists", STAGE_DONE},
};

static enum stage find_stage(const char *status)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (str_starts_with(status, stages[i].status))
            return stages[i].stage;
    }
    return STAGE_NONE;
}

static struct pull_layer *find_layer(struct pull_layers *layers, const char *id)
{
    for (unsigned i = 0; i < layers->count; i++) {
        if (str_equal(layers->layers[i].id, id))
            return &layers->layers[i];
    }
    if (layers->count == PULL_LAYERS_MAX)
        return NULL;
    struct pull_layer *layer = &layers->layers[layers->count];
    *layer = (struct pull_layer){0};
    if (!str_copy(layer->id, sizeof(layer->id), id))
        return NULL;
    layers->count++;
    return layer;
}

static void take_bytes(struct pull_layer *layer, const cJSON *message)
{
    const cJSON *detail = NULL;
    int64_t current = 0, total = 0;

    if (json_get_object(message, "", "progressDetail", &detail, NULL) == 0 &&
        json_get_int(detail, "", "current", 0, INT64_MAX, &current, NULL) == 0 &&
        json_get_int(detail, "", "total", 0, INT64_MAX, &total, NULL) == 0) {
        layer->current_bytes = current;
        layer->total_bytes = total;
    }
}

bool pull_layers_take(struct pull_layers *layers, const cJSON *message)
{
    const char *status, *id;

    if (json_get_string(message, "", "status", &status, NULL) != 0 ||
        json_get_string(message, "", "id", &id, NULL) != 0)
        return false;
    enum stage stage = find_stage(status);
    struct pull_layer *layer = stage == STAGE_NONE ? NULL : find_layer(layers, id);
    if (!layer)
        return false;
    if (stage == STAGE_DOWNLOADING)
        take_bytes(layer, message);
    else if (stage == STAGE_DOWNLOADED || stage == STAGE_DONE)
        layer->current_bytes = layer->total_bytes;
    else if (stage == STAGE_WAITING)
        layer->current_bytes = 0;
    layer->done = stage == STAGE_DONE;
    return true;
}

void pull_layers_sum(const struct pull_layers *layers, struct pull_progress *ret_progress)
{
    struct pull_progress sum = {.layers = layers->count};

    for (unsigned i = 0; i < layers->count; i++) {
        sum.current_bytes += layers->layers[i].current_bytes;
        sum.total_bytes += layers->layers[i].total_bytes;
        sum.layers_done += layers->layers[i].done;
    }
    *ret_progress = sum;
}
