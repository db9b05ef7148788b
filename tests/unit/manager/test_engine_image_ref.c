#include "manager/engine/image_ref.h"

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *text, *registry, *path, *tag, *digest;
} good[] = {
    {"busybox", "docker.io", "library/busybox", "latest", ""},
    {"busybox:1.36", "docker.io", "library/busybox", "1.36", ""},
    {"library/busybox", "docker.io", "library/busybox", "latest", ""},
    {"docker.io/busybox", "docker.io", "library/busybox", "latest", ""},
    {"index.docker.io/busybox", "docker.io", "library/busybox", "latest", ""},
    {"grafana/grafana:10.1.0", "docker.io", "grafana/grafana", "10.1.0", ""},
    {"reg.example/a/b/c", "reg.example", "a/b/c", "latest", ""},
    {"reg.example/app", "reg.example", "app", "latest", ""},
    {"localhost/app:x", "localhost", "app", "x", ""},
    {"127.0.0.1:5000/app", "127.0.0.1:5000", "app", "latest", ""},
    {"[::1]:5000/app:1", "[::1]:5000", "app", "1", ""},
    {"REG/app", "REG", "app", "latest", ""},
    {"reg.example:5000/a-b/c__d.e--f:v1_2.3-4", "reg.example:5000", "a-b/c__d.e--f", "v1_2.3-4",
     ""},
    {"app@sha256:" HEX64, "docker.io", "library/app", "", "sha256:" HEX64},
    {"app:1@sha256:" HEX64, "docker.io", "library/app", "1", "sha256:" HEX64},
};

static void understands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct image_ref ref;
        struct err e = {0};
        print_message("%s\n", good[i].text);
        assert_int_equal(image_ref_parse(good[i].text, &ref, &e), 0);
        assert_string_equal(ref.registry, good[i].registry);
        assert_string_equal(ref.path, good[i].path);
        assert_string_equal(ref.tag, good[i].tag);
        assert_string_equal(ref.digest, good[i].digest);
    }
}

/* Beside the list, where a joined literal looks like a missing comma. */
static const char too_long_tag[] = "a:" HEX64 HEX64 "0";
static const char too_long_digest[] = "a@sha256:" HEX64 "00";

static const char *const bad[] = {
    "",
    ":",
    "@",
    "/",
    "a/",
    "/a",
    "a//b",
    "App",
    "a:",
    "a:-x",
    "a:.x",
    "a:x/y:z!",
    "a b",
    "a..b",
    "a___b",
    "a._b",
    "-a",
    "a-",
    ".a",
    "a@",
    "a@sha256:12",
    too_long_digest,
    "a@SHA256:0123456789abcdef0123456789abcdef",
    "reg.example:/a",
    "reg.example:x/a",
    "-reg.example/a",
    "[::1/a",
    HEX64,
    too_long_tag,
    "a\nb",
    "a%2e",
    "\xc3\xa4",
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct image_ref ref = {.tag = "untouched"};
        struct err e = {0};
        print_message("%s\n", bad[i]);
        assert_int_equal(image_ref_parse(bad[i], &ref, &e), -EINVAL);
        assert_true(strlen(e.msg) > 20);
        assert_string_equal(ref.tag, "untouched");
    }
}

static void refuses_what_is_too_long(void **state)
{
    char text[1024];
    struct image_ref ref;
    struct err e = {0};

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t len = 200; len < sizeof(text); len += 37) {
        text[len] = '\0';
        assert_int_equal(image_ref_parse(text, &ref, &e), len <= 237 ? 0 : -EINVAL);
        text[len] = 'a';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_what_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
