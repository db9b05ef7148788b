#include "manager/desired/service_value.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/body.h"
#include "manager/desired/digest.h"

#define IMAGE_MAX_LENGTH 512

static const char *string_of(const cJSON *value)
{
    return cJSON_IsString(value) ? value->valuestring : "";
}

/* ---- what runs ---- */

int service_value_read_image(const struct reading *r, const struct place *at, const struct key *key,
                             const cJSON *value, cJSON **ret_canonical)
{
    const char *image = string_of(value);
    size_t len = strlen(image);
    bool taken = len > 0 && len <= IMAGE_MAX_LENGTH && isalnum((unsigned char)image[0]);

    for (size_t i = 0; taken && i < len; i++)
        taken = isalnum((unsigned char)image[i]) || strchr("._-/:@", image[i]);
    if (!taken)
        return reading_fail_value(r, at, value,
                                  "an image such as \"registry.example:5000/app:1.4\"");
    return value_read_string(r, at, key, value, ret_canonical);
}

int service_value_read_platform(const struct reading *r, const struct place *at,
                                const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    const char *platform = string_of(value);
    size_t allowed = strspn(platform, "abcdefghijklmnopqrstuvwxyz0123456789_./-");

    if (!platform[0] || platform[allowed])
        return reading_fail_value(r, at, value, "a platform such as \"linux/arm64\"");
    return value_read_string(r, at, key, value, ret_canonical);
}

int service_value_read_pull_policy(const struct reading *r, const struct place *at,
                                   const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    static const char *const policies[] = {"missing", "always", "never", NULL};
    const struct key choice = {.choices = policies};

    (void)key;
    if (str_equal(string_of(value), "if_not_present"))
        return 0;
    return value_read_choice(r, at, &choice, value, ret_canonical);
}

int service_value_read_environment(const struct reading *r, const struct place *at,
                                   const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    for (const cJSON *member = cJSON_IsObject(value) ? value->child : NULL; member;
         member = member->next)
        if (strchr(member->string, '='))
            return reading_fail(r, REASON_SCHEMA, &(struct place){at, member->string, 0},
                                "has a '=' in its name");
    return value_read_map(r, at, key, value, ret_canonical);
}

bool service_value_write_environment(struct body *body, const struct key *key,
                                     const cJSON *canonical)
{
    cJSON *list = body_array(body, "Env");
    const cJSON *variable;

    (void)key;
    cJSON_ArrayForEach(variable, canonical)
    {
        AUTO(buf_deinit) struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);

        buf_append_str(&text, variable->string);
        if (!cJSON_IsNull(variable)) {
            buf_append_char(&text, '=');
            buf_append_str(&text, variable->valuestring);
        }
        if (buf_failed(&text) || !key_add(list, NULL, cJSON_CreateString(text.data)))
            return false;
    }
    return true;
}

int service_value_read_texts(const struct reading *r, const struct place *at, const struct key *key,
                             const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    size_t index = 0;

    (void)key;
    if (!cJSON_IsArray(value))
        return reading_fail_value(r, at, value, "an array of strings");
    canonical = cJSON_CreateArray();
    if (!canonical)
        return reading_fail_memory(r);
    for (const cJSON *item = value->child; item; item = item->next) {
        AUTO(cJSON_Delete) cJSON *text = NULL;
        int ret = value_read_text(r, &(struct place){at, NULL, index++}, item, &text);

        if (ret < 0)
            return ret;
        if (!key_add(canonical, NULL, TAKE(text)))
            return reading_fail_memory(r);
    }
    if (canonical->child)
        *ret_canonical = TAKE(canonical);
    return 0;
}

/* ---- its life ---- */

int service_value_read_signal(const struct reading *r, const struct place *at,
                              const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    const char *name = string_of(value);
    size_t len = strlen(name);
    size_t i = 0;

    while (isalnum((unsigned char)name[i]) || name[i] == '+' || name[i] == '-')
        i++;
    if (len == 0 || i < len || len > 16)
        return reading_fail_value(r, at, value, "a signal such as \"SIGINT\"");
    return value_read_string(r, at, key, value, ret_canonical);
}

bool service_value_write_seconds(struct body *body, const struct key *key, const cJSON *canonical)
{
    /* Upwards: half a second is not none. */
    int64_t seconds = ((int64_t)canonical->valuedouble + 999999999) / 1000000000;

    return body_set(body, key->field, cJSON_CreateNumber((double)seconds));
}

int service_value_read_test(const struct reading *r, const struct place *at, const struct key *key,
                            const cJSON *value, cJSON **ret_canonical)
{
    static const char *const kinds[] = {"NONE", "CMD", "CMD-SHELL"};
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    int ret = value_read_strings(r, at, key, value, &canonical);
    int count = cJSON_GetArraySize(canonical);

    if (ret < 0 || !canonical)
        return ret;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(canonical->child->valuestring, kinds[i]) == 0 && (i == 0) == (count == 1)) {
            *ret_canonical = TAKE(canonical);
            return 0;
        }
    return reading_fail(r, REASON_SCHEMA, at,
                        "must be [\"CMD\", program, argument...], [\"CMD-SHELL\", line] or "
                        "[\"NONE\"]");
}

int service_value_read_healthcheck(const struct reading *r, const struct place *at,
                                   const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    static const char *const none[] = {"NONE"};
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    AUTO(cJSON_Delete) cJSON *disabled = NULL;
    const cJSON *test;
    int ret = key_read_options(r, at, key, value, &canonical);

    if (ret < 0 || !canonical)
        return ret;
    test = json_member(canonical, "test");
    if (!json_member(canonical, "disable") &&
        !(test && strcmp(test->child->valuestring, none[0]) == 0)) {
        *ret_canonical = TAKE(canonical);
        return 0;
    }
    /* Whatever else it says: there is none. */
    disabled = cJSON_CreateObject();
    if (!disabled || !key_add(disabled, "test", cJSON_CreateStringArray(none, 1)))
        return reading_fail_memory(r);
    *ret_canonical = TAKE(disabled);
    return 0;
}

int service_value_read_restart(const struct reading *r, const struct place *at,
                               const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    const char *restart = string_of(value);
    const char *retries = "on-failure:";
    int64_t count;

    if (cJSON_IsString(value) && (!restart[0] || strcmp(restart, "no") == 0))
        return 0;
    if (strcmp(restart, "always") == 0 || strcmp(restart, "unless-stopped") == 0 ||
        strcmp(restart, "on-failure") == 0 ||
        (str_starts_with(restart, retries) &&
         str_parse_int(restart + strlen(retries), 1, 1000000, &count) == 0))
        return value_read_string(r, at, key, value, ret_canonical);
    return reading_fail_value(r, at, value,
                              "\"no\", \"always\", \"unless-stopped\", \"on-failure\" or "
                              "\"on-failure:3\"");
}

int service_value_read_pids(const struct reading *r, const struct place *at, const struct key *key,
                            const cJSON *value, cJSON **ret_canonical)
{
    int64_t count;
    int ret = value_integer(r, at, key, value, &count);

    if (ret < 0 || count <= 0)
        return ret;
    *ret_canonical = cJSON_CreateNumber((double)count);
    return *ret_canonical ? 0 : reading_fail_memory(r);
}

int service_value_read_hosts(const struct reading *r, const struct place *at, const struct key *key,
                             const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    cJSON *host;
    size_t index = 0;
    int ret = value_read_strings(r, at, key, value, &canonical);

    if (ret < 0)
        return ret;
    cJSON_ArrayForEach(host, canonical)
    {
        size_t name = strcspn(host->valuestring, "=:");

        if (name == 0 || !host->valuestring[name] || !host->valuestring[name + 1])
            return reading_fail_value(r, &(struct place){at, NULL, index}, host,
                                      "a host such as \"db=10.0.0.7\"");
        host->valuestring[name] = ':';
        index++;
    }
    *ret_canonical = TAKE(canonical);
    return 0;
}
