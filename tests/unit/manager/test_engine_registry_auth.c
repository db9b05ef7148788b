#include "manager/engine/registry_auth.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char path[] = "/tmp/bellbuoy-auth-XXXXXX";

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

/* joe:se:cret, with ?> for characters of which base64 and base64url differ */
#define PAIR   "am9lOnNlOmNyZXQ/Pg=="
#define HEADER "{\"username\":\"joe\",\"password\":\"se:cret?>\",\"serveraddress\":\""

static const struct {
    const char *config, *image;
    int result;
    const char *expected; /* the header's JSON, or what the error must name */
} cases[] = {
    {"{\"auths\":{\"reg.example:5000\":{\"auth\":\"" PAIR "\"}}}", "reg.example:5000/a", 0,
     HEADER "reg.example:5000\"}"},
    {"{\"auths\":{\"https://reg.example/v2/\":{\"auth\":\"" PAIR "\"}}}", "reg.example/a", 0,
     HEADER "reg.example\"}"},
    {"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" PAIR "\"}}}", "a:1", 0,
     HEADER "docker.io\"}"},
    {"{\"auths\":{\"r.e\":{\"username\":\"joe\",\"password\":\"se:cret?>\"}}}", "r.e/a", 0,
     HEADER "r.e\"}"},
    {"{\"auths\":{\"r.e\":{\"auth\":\"" PAIR "\",\"identitytoken\":\"tok\"}}}", "r.e/a", 0,
     "{\"identitytoken\":\"tok\"}"},
    {"{\"auths\":{\"r.e:5000\":{\"auth\":\"" PAIR "\"}}}", "r.e/a", REGISTRY_AUTH_NONE, NULL},
    {"{\"auths\":{\"r.e\":{}},\"credsStore\":\"x\"}", "r.e/a", REGISTRY_AUTH_NONE, NULL},
    {"{}", "r.e/a", REGISTRY_AUTH_NONE, NULL},
    {"", "r.e/a", -EINVAL, "bellbuoy-auth"},
    {"[]", "r.e/a", -EINVAL, "must be a JSON object"},
    {"{\"auths\":[]}", "r.e/a", -EINVAL, "/auths"},
    {"{\"auths\":{\"r.e\":5}}", "r.e/a", -EINVAL, "/auths/r.e must be an object"},
    {"{\"auths\":{\"r.e\":{\"auth\":5}}}", "r.e/a", -EINVAL, "/auths/r.e/auth"},
    {"{\"auths\":{\"r.e\":{\"auth\":\"%%%%\"}}}", "r.e/a", -EINVAL, "base64 of user:password"},
    {"{\"auths\":{\"r.e\":{\"auth\":\"am9l\"}}}", "r.e/a", -EINVAL, "base64 of user:password"},
    {"{\"auths\":{\"r.e\":{\"auth\":\"am9\"}}}", "r.e/a", -EINVAL, "base64 of user:password"},
    {"{\"auths\":{\"r.e\":{\"auth\":\"====\"}}}", "r.e/a", -EINVAL, "base64 of user:password"},
};

/* The alphabet of base64url, RFC 4648 section 5. */
static void decode(const char *text, char *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_";
    unsigned bits = 0, count = 0;

    for (; *text && *text != '='; text++) {
        const char *at = strchr(alphabet, *text);
        assert_non_null(at);
        bits = bits << 6 | (unsigned)(at - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = (char)(bits >> count & 0xff);
        }
    }
    *out = '\0';
}

static void finds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(16384);
        struct image_ref ref;
        struct err e = {0};
        char json[1024];
        print_message("%s\n", cases[i].config);
        assert_int_equal(
            file_write_atomic(path, cases[i].config, strlen(cases[i].config), 0600, &e), 0);
        assert_int_equal(image_ref_parse(cases[i].image, &ref, &e), 0);
        assert_int_equal(registry_auth_find(path, &ref, &out, &e), cases[i].result);
        if (cases[i].result == 0) {
            decode(out.data, json);
            assert_string_equal(json, cases[i].expected);
        } else if (cases[i].result < 0) {
            assert_non_null(strstr(e.msg, cases[i].expected));
            assert_null(strstr(e.msg, "am9l")); /* no secret in a message */
        }
    }
}

static void no_file_has_none(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(16384);
    struct image_ref ref;
    struct err e = {0};

    (void)state;
    assert_int_equal(image_ref_parse("a", &ref, &e), 0);
    assert_int_equal(registry_auth_find("/nonexistent/config.json", &ref, &out, &e),
                     REGISTRY_AUTH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(no_file_has_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
