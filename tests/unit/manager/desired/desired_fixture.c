#include "tests/unit/manager/desired/desired_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEXT_MAX (4 << 20)

DEFINE_CLEANUP(char *, cJSON_free);

static const char *const everything[] = {
    "privileged",    "host-network",   "container-network", "security-opt",     "sysctls",
    "volume-driver", "volume-options", "cap:NET_ADMIN",     "device:/dev/null", NULL,
};
static const char *const root[] = {"/", NULL};

const struct safety fixture_all = {everything, root, "/secrets"};
const struct safety fixture_none = {NULL, NULL, "/secrets"};

char *fixture_envelope(const char *members)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    buf_appendf(&text, "{\"apiVersion\":\"bellbuoy/v1\",\"revision\":1,\"project\":\"line3\",%s}",
                members);
    assert_false(buf_failed(&text));
    return buf_take(&text, &(size_t){0});
}

char *fixture_service(const char *members)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);

    buf_appendf(&text, "\"services\":{\"web\":{\"image\":\"app:1\"%s%s}}", members[0] ? "," : "",
                members);
    assert_false(buf_failed(&text));
    return fixture_envelope(text.data);
}

struct document *fixture_parse(const char *text, const struct safety *safety)
{
    struct document *document = NULL;
    struct rejection rejection = {0};

    if (document_parse(text, strlen(text), safety, &document, &rejection) < 0)
        fail_msg("%.400s: %s", text, rejection.e.msg);
    return document;
}

void fixture_refuse(const char *text, const struct safety *safety, struct rejection *ret_rejection)
{
    AUTO(document_free) struct document *document = NULL;
    struct rejection rejection = {0};

    if (document_parse(text, strlen(text), safety, &document, &rejection) != -EINVAL)
        fail_msg("was taken: %.400s", text);
    assert_null(document);
    assert_int_equal(rejection.e.code, EINVAL);
    assert_true(rejection.code != REASON_NONE);
    if (ret_rejection)
        *ret_rejection = rejection;
}

void fixture_assert_json(const char *what, const cJSON *json, const char *expected)
{
    AUTO(cJSON_Delete) cJSON *wanted = expected ? cJSON_Parse(expected) : NULL;
    AUTO(cJSON_free) char *shown = json ? cJSON_PrintUnformatted(json) : NULL;

    if (!expected && !json)
        return;
    if (expected && !wanted)
        fail_msg("the test's own JSON is wrong: %s", expected);
    if (!json || !wanted || !cJSON_Compare(json, wanted, true))
        fail_msg("%s must be %s, it is %s", what, expected ? expected : "nothing",
                 shown ? shown : "nothing");
}

const cJSON *fixture_at(const cJSON *json, const char *path)
{
    char name[128];

    while (json && *path) {
        size_t len = strcspn(path, "|");

        snprintf(name, sizeof name, "%.*s", (int)len, path);
        json = cJSON_IsObject(json) ? json_member(json, name) : NULL;
        path += len + (path[len] == '|');
    }
    return json;
}
