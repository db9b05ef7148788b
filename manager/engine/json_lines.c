#include "manager/engine/json_lines.h"

#include <string.h>

#include "common/base/json.h"

void json_lines_init(struct json_lines *lines, void (*object)(void *context, const cJSON *object),
                     void *context)
{
    *lines =
        (struct json_lines){.line = BUF_INIT(JSON_LINES_MAX), .object = object, .context = context};
}

void json_lines_deinit(struct json_lines *lines)
{
    buf_deinit(&lines->line);
}

void json_lines_reset(struct json_lines *lines)
{
    buf_reset(&lines->line);
}

void json_lines_stop(struct json_lines *lines)
{
    lines->stopped = true;
}

static void tell(struct json_lines *lines)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;

    if (lines->line.len > 0 && !buf_failed(&lines->line) &&
        json_parse(lines->line.data, lines->line.len, JSON_MAX_DEPTH, &json, NULL) == 0 &&
        cJSON_IsObject(json))
        lines->object(lines->context, json);
    buf_reset(&lines->line);
}

void json_lines_feed(struct json_lines *lines, const char *bytes, size_t size)
{
    while (size > 0 && !lines->stopped) {
        const char *end = memchr(bytes, '\n', size);
        size_t len = end ? (size_t)(end - bytes) : size;
        buf_append(&lines->line, bytes, len);
        if (!end)
            return;
        tell(lines);
        bytes = end + 1;
        size -= len + 1;
    }
}
