#pragma once

/* What a pull's progress messages say of the image's layers, summed up. Pure. */

#include <cjson/cJSON.h>

#include "manager/engine/pull.h"

#define PULL_LAYERS_MAX 256 /* Docker itself takes 127 */

struct pull_layer {
    char id[16];
    int64_t current_bytes, total_bytes;
    bool done;
};

struct pull_layers {
    struct pull_layer layers[PULL_LAYERS_MAX];
    unsigned count;
};

/* True if it was of a layer. */
bool pull_layers_take(struct pull_layers *layers, const cJSON *message);
void pull_layers_sum(const struct pull_layers *layers, struct pull_progress *ret_progress);
