#pragma once

/* A stream of JSON objects, one a line, as the engine sends events and a pull's progress. What is
 * no JSON object, or is longer than JSON_LINES_MAX, is passed over. */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

#define JSON_LINES_MAX (1 << 20)

struct json_lines {
    struct buf line; /* what is there of the next one */
    bool stopped;
    void (*object)(void *context, const cJSON *object);
    void *context;
};

void json_lines_init(struct json_lines *lines, void (*object)(void *context, const cJSON *object),
                     void *context);
void json_lines_deinit(struct json_lines *lines);
/* Forgets the line that has begun. */
void json_lines_reset(struct json_lines *lines);
void json_lines_feed(struct json_lines *lines, const char *bytes, size_t size);
/* No further object is told, also from inside `object`; `lines` must outlive the feed. */
void json_lines_stop(struct json_lines *lines);
