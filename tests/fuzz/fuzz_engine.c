/* What an engine, a registry and a document's writer send, by the first byte: lines of JSON, frames
 * of output, an engine's account of itself, a reference of an image, a cause of a failed pull. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "manager/engine/identity.h"
#include "manager/engine/image_ref.h"
#include "manager/engine/json_lines.h"
#include "manager/engine/log_lines.h"
#include "manager/engine/pull_failure.h"
#include "manager/engine/pull_layers.h"

#define STEP 7 /* bytes that come at once */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void on_object(void *context, const cJSON *object)
{
    struct pull_layers *layers = context;

    pull_layers_take(layers, object);
    require(layers->count <= PULL_LAYERS_MAX);
}

static void try_json_lines(const char *text, size_t size)
{
    struct pull_layers layers = {0};
    struct json_lines lines;

    json_lines_init(&lines, on_object, &layers);
    for (size_t at = 0; at < size; at += STEP)
        json_lines_feed(&lines, text + at, size - at < STEP ? size - at : STEP);
    json_lines_deinit(&lines);
}

static void on_line(void *context, const char *line, size_t len, bool is_error)
{
    (void)context;
    (void)is_error;
    require(len <= LOG_LINE_MAX && memchr(line, '\n', len) == NULL);
}

static void try_log_lines(const char *text, size_t size)
{
    struct log_lines lines;
    struct err e = {0};
    int r = 0;

    log_lines_init(&lines, true, on_line, NULL);
    for (size_t at = 0; at < size && r == 0; at += STEP)
        r = log_lines_feed(&lines, text + at, size - at < STEP ? size - at : STEP, &e);
    require(r == 0 || e.msg[0] != '\0');
    log_lines_end(&lines);
    log_lines_deinit(&lines);
}

static void try_identity(const char *text, size_t size)
{
    struct identity identity = {0};
    struct err e = {0};

    if (identity_parse_version(text, size, &identity, &e) == 0)
        require(identity.api_minor >= 41 && identity.api_minor <= 51);
    else
        require(e.msg[0] != '\0');
    if (identity_parse_info(text, size, &identity, &e) < 0)
        require(e.msg[0] != '\0');
}

static void try_text(const char *text)
{
    struct image_ref ref;
    struct err e = {0};

    if (image_ref_parse(text, &ref, &e) == 0)
        require(ref.path[0] != '\0' && (ref.tag[0] != '\0' || ref.digest[0] != '\0'));
    else
        require(e.msg[0] != '\0');
    require(pull_failure_code(text) < REASON_COUNT);
    require(pull_failure_retry_after_ms(text) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(free) char *text = malloc(size + 1);

    if (!text || size == 0)
        return 0;
    size--;
    memcpy(text, bytes + 1, size);
    text[size] = '\0';
    switch (bytes[0] % 4) {
    case 0:
        try_json_lines(text, size);
        break;
    case 1:
        try_log_lines(text, size);
        break;
    case 2:
        try_identity(text, size);
        break;
    default:
        try_text(text);
    }
    return 0;
}
