/* Bytes as JSON: what json_parse takes is UTF-8, is taken again as cJSON prints it, and is the same
 * then; what it refuses has a reason. The getters' messages cope with all that it took. */

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_reason(const struct err *e)
{
    require(e->msg[0] != '\0' && str_is_utf8(e->msg, strlen(e->msg), NULL));
}

static void check_round_trip(const cJSON *json)
{
    AUTO(free) char *printed = cJSON_PrintUnformatted(json);
    AUTO(cJSON_Delete) cJSON *again = NULL;
    struct err e;
    require(printed != NULL);
    if (json_parse(printed, strlen(printed), JSON_MAX_DEPTH, &again, &e) == 0) {
        require(cJSON_Compare(json, again, true));
    } else { /* cJSON prints 15 digits, which rounds the largest doubles up to infinity */
        require(strstr(e.msg, "beyond what a double holds") != NULL);
    }
}

static void check_getters(const cJSON *object)
{
    static const char *const known[] = {"specversion", "data", NULL};
    struct err e = {0};
    if (json_check_members(object, "", known, &e) < 0) {
        check_reason(&e);
    }
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        int64_t number = 0;
        const char *string = NULL;
        require(json_member(object, member->string) == member);
        if (json_get_int(object, "/at", member->string, -5, 5, &number, &e) < 0) {
            check_reason(&e);
        }
        require(number >= -5 && number <= 5);
        if (json_get_string(object, "", member->string, &string, &e) < 0) {
            check_reason(&e);
        }
        require((string != NULL) == cJSON_IsString(member));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct err e = {0};
    if (json_parse((const char *)bytes, size, JSON_MAX_DEPTH, &json, &e) < 0) {
        require(json == NULL);
        check_reason(&e);
        return 0;
    }
    require(str_is_utf8((const char *)bytes, size, NULL));
    check_round_trip(json);
    if (cJSON_IsObject(json)) {
        check_getters(json);
    }
    return 0;
}
