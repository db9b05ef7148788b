#include "manager/engine/identity.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/engine/engine.h"

/* "1.51" -> 51 */
static int parse_api(const char *text, int *ret_minor)
{
    int64_t minor;

    if (!str_starts_with(text, "1.") || str_parse_int(text + 2, 0, 9999, &minor) < 0)
        return -EINVAL;
    *ret_minor = (int)minor;
    return 0;
}

static int get_text(const cJSON *json, const char *name, char *ret_text, size_t size, struct err *e)
{
    const char *text;

    int r = json_get_string(json, "", name, &text, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "/%s is not there", name);
    if (r < 0)
        return r;
    if (!str_copy(ret_text, size, text))
        return FAIL(e, EINVAL, "/%s is longer than %zu bytes", name, size - 1);
    return 0;
}

static int negotiate(const char *newest_text, const char *oldest_text, struct identity *identity,
                     struct err *e)
{
    int newest, oldest;

    if (parse_api(newest_text, &newest) < 0 || parse_api(oldest_text, &oldest) < 0)
        return FAIL(e, EINVAL, "its API is called '%s', not '1.N'", newest_text);
    if (newest < ENGINE_API_OLDEST)
        return FAIL(e, EINVAL,
                    "Docker %s speaks API %s, and 1.%d is needed: install Docker 20.10 or newer",
                    identity->version, newest_text, ENGINE_API_OLDEST);
    if (oldest > ENGINE_API_NEWEST)
        return FAIL(e, EINVAL,
                    "Docker %s speaks API %s and newer, and 1.%d is the newest known here: install "
                    "a newer manager",
                    identity->version, oldest_text, ENGINE_API_NEWEST);
    identity->api_minor = newest < ENGINE_API_NEWEST ? newest : ENGINE_API_NEWEST;
    return 0;
}

int identity_parse_version(const char *json, size_t len, struct identity *ret_identity,
                           struct err *e)
{
    AUTO(cJSON_Delete) cJSON *root = NULL;
    struct identity identity = {0};
    char newest[16], oldest[16];

    int r = json_parse(json, len, JSON_MAX_DEPTH, &root, e);
    if (r == 0 && !cJSON_IsObject(root))
        r = FAIL(e, EINVAL, "it is no JSON object");
    if (r == 0)
        r = get_text(root, "Version", identity.version, sizeof(identity.version), e);
    if (r == 0)
        r = get_text(root, "Arch", identity.architecture, sizeof(identity.architecture), e);
    if (r == 0)
        r = get_text(root, "ApiVersion", newest, sizeof(newest), e);
    if (r == 0)
        r = get_text(root, "MinAPIVersion", oldest, sizeof(oldest), e);
    if (r < 0) {
        err_context(e, "the reply to GET /version is no Docker engine's");
        return r;
    }
    r = negotiate(newest, oldest, &identity, e);
    if (r == 0)
        *ret_identity = identity;
    return r;
}

int identity_parse_info(const char *json, size_t len, struct identity *identity, struct err *e)
{
    AUTO(cJSON_Delete) cJSON *root = NULL;
    const char *data_root = "";

    int r = json_parse(json, len, JSON_MAX_DEPTH, &root, e);
    if (r == 0 && !cJSON_IsObject(root))
        r = FAIL(e, EINVAL, "it is no JSON object");
    if (r == 0)
        r = json_get_string(root, "", "DockerRootDir", &data_root, e);
    if (r >= 0 && !str_copy(identity->data_root, sizeof(identity->data_root), data_root))
        r = FAIL(e, EINVAL, "/DockerRootDir is longer than a path can be");
    if (r < 0) {
        err_context(e, "the reply to GET /info is no Docker engine's");
        return r;
    }
    return 0;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
    return a->api_minor == b->api_minor && str_equal(a->version, b->version) &&
           str_equal(a->architecture, b->architecture) && str_equal(a->data_root, b->data_root);
}
