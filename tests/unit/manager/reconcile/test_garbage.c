#include "manager/reconcile/garbage.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/str.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ZEROS  "00000000000000000000000000000000000000000000000000000000000000"
#define A      "sha256:" ZEROS "0a"
#define B      "sha256:" ZEROS "0b"
#define DIGEST "sha256:" ZEROS "0d"
#define DAY_US (INT64_C(24) * 3600 * 1000000)
#define NOW    (100 * DAY_US)

/* One image, A, pulled as "app:1"; what the engine has, and what is to go of it. */
struct one {
    const char *title;
    const char *tags, *digests; /* of A, as JSON; NULL: the engine does not have it */
    const char *container;      /* the image of the only one */
    const char *needed;         /* by the only document; NULL: there is none */
    const char *reference;      /* NULL: "app:1" */
    int64_t unused_us, min_age_us;
    const char *target; /* what goes; NULL: it stays */
    int64_t noted_us;   /* since when it is not needed, after it */
};

static const struct one cases[] = {
    {.title = "nothing needs it", .tags = "[\"app:1\"]", .target = "app:1", .noted_us = NOW},
    {.title = "a container of anybody's needs it", .tags = "[\"app:1\"]", .container = A},
    {.title = "another image's container",
     .tags = "[\"app:1\"]",
     .container = B,
     .target = "app:1",
     .noted_us = NOW},
    {.title = "a document names it", .tags = "[\"app:1\"]", .needed = "app:1"},
    {.title = "a document names it in full",
     .tags = "[\"app:1\"]",
     .needed = "docker.io/library/app:1"},
    {.title = "a document names its digest",
     .tags = "[\"app:1\"]",
     .digests = "[\"app@" DIGEST "\"]",
     .needed = "app:7@" DIGEST},
    {.title = "a document names another tag of it",
     .tags = "[\"app:1\",\"app:2\"]",
     .needed = "app:2"},
    {.title = "a document names its id", .tags = "[\"app:1\"]", .needed = A},
    {.title = "a document names another image",
     .tags = "[\"app:1\"]",
     .needed = "app:2",
     .target = "app:1",
     .noted_us = NOW},
    {.title = "only our name of several",
     .tags = "[\"theirs:1\",\"app:1\"]",
     .target = "app:1",
     .noted_us = NOW},
    {.title = "the tag has moved", .tags = "[]", .target = A, .noted_us = NOW},
    {.title = "as old engines tell it",
     .tags = "[\"<none>:<none>\"]",
     .digests = "[\"<none>@<none>\"]",
     .target = A,
     .noted_us = NOW},
    {.title = "the tag has moved, another's is left", .tags = "[\"theirs:1\"]"},
    {.title = "pulled by digest",
     .tags = "[]",
     .digests = "[\"reg:5000/app@" DIGEST "\"]",
     .reference = "reg:5000/app:1@" DIGEST,
     .target = "reg:5000/app@" DIGEST,
     .noted_us = NOW},
    {.title = "not for long enough",
     .tags = "[\"app:1\"]",
     .unused_us = NOW - DAY_US + 1,
     .min_age_us = DAY_US,
     .noted_us = NOW - DAY_US + 1},
    {.title = "for long enough",
     .tags = "[\"app:1\"]",
     .unused_us = NOW - DAY_US,
     .min_age_us = DAY_US,
     .target = "app:1",
     .noted_us = NOW - DAY_US},
    {.title = "since now", .tags = "[\"app:1\"]", .min_age_us = 1, .noted_us = NOW},
    {.title = "needed again", .tags = "[\"app:1\"]", .unused_us = 1, .container = A},
    {.title = "the clock was set back",
     .tags = "[\"app:1\"]",
     .unused_us = 2 * NOW,
     .min_age_us = 1,
     .noted_us = NOW},
};

static cJSON *parse(const char *text)
{
    cJSON *json = NULL;

    assert_int_equal(json_parse(text, strlen(text), JSON_MAX_DEPTH, &json, NULL), 0);
    return json;
}

static cJSON *list_images(const struct one *one)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(4096);

    buf_appendf(&text, "[{\"Id\":\"" B "\",\"RepoTags\":null},{\"Id\":\"%s\",\"RepoTags\":%s", A,
                one->tags);
    if (one->digests)
        buf_appendf(&text, ",\"RepoDigests\":%s", one->digests);
    buf_append_str(&text, "}]");
    return parse(text.data);
}

static cJSON *list_containers(const struct one *one)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(4096);

    buf_append_str(&text, "[");
    if (one->container)
        buf_appendf(&text, "{\"Id\":\"x\",\"ImageID\":\"%s\"}", one->container);
    buf_append_str(&text, "]");
    return parse(text.data);
}

static void check_one(const struct one *one)
{
    cJSON *images AUTO(cJSON_Delete) = list_images(one);
    cJSON *containers AUTO(cJSON_Delete) = list_containers(one);
    struct garbage *list AUTO(free) = NULL;
    struct image_names needed = {0};
    struct pulled pulled;
    size_t count = 0;

    print_message("%s\n", one->title);
    pulled_init(&pulled);
    assert_int_equal(pulled_add(&pulled, A, one->reference ? one->reference : "app:1", 1), 0);
    TAILQ_FIRST(&pulled.images)->unused_us = one->unused_us;
    if (one->needed)
        image_names_add(&needed, one->needed);
    const struct garbage_look look = {images, containers, &needed, NOW, one->min_age_us};
    assert_int_equal(garbage_find(&pulled, &look, &list, &count), 0);
    assert_int_equal(count, one->target != NULL);
    if (one->target)
        assert_string_equal(list[0].target, one->target);
    assert_int_equal(TAILQ_FIRST(&pulled.images)->unused_us, one->noted_us);
    image_names_deinit(&needed);
    pulled_deinit(&pulled);
}

static void goes_when_nothing_needs_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_one(&cases[i]);
}

static void forgets_what_is_gone(void **state)
{
    cJSON *none AUTO(cJSON_Delete) = parse("[]");
    struct image_names needed = {0};
    struct garbage *list AUTO(free) = NULL;
    struct pulled pulled;
    size_t count = 1;

    (void)state;
    pulled_init(&pulled);
    assert_int_equal(pulled_add(&pulled, A, "app:1", 1), 0);
    pulled.changed = false;
    const struct garbage_look look = {none, none, &needed, NOW, 0};
    assert_int_equal(garbage_find(&pulled, &look, &list, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(pulled.count, 0);
    assert_true(pulled.changed);
    pulled_deinit(&pulled);
}

/* And of two that are unused as long, the one that was pulled first. */
static void begins_with_the_longest_unused(void **state)
{
    static const struct {
        const char *id;
        int64_t pulled_us, unused_us;
    } images[] = {{"sha256:3", 3, 9}, {"sha256:2", 2, 9}, {"sha256:4", 1, 10}, {"sha256:1", 4, 1}};
    static const char *const order[] = {"sha256:1", "sha256:2", "sha256:3", "sha256:4"};
    cJSON *there AUTO(cJSON_Delete) = parse("[{\"Id\":\"sha256:1\"},{\"Id\":\"sha256:2\"},"
                                            "{\"Id\":\"sha256:3\"},{\"Id\":\"sha256:4\"}]");
    cJSON *none AUTO(cJSON_Delete) = parse("[]");
    struct image_names needed = {0};
    struct garbage *list AUTO(free) = NULL;
    struct pulled pulled;
    size_t count = 0;

    (void)state;
    pulled_init(&pulled);
    for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
        assert_int_equal(pulled_add(&pulled, images[i].id, "app:1", images[i].pulled_us), 0);
        TAILQ_LAST(&pulled.images, pulled_images)->unused_us = images[i].unused_us;
    }
    const struct garbage_look look = {there, none, &needed, NOW, 0};
    assert_int_equal(garbage_find(&pulled, &look, &list, &count), 0);
    assert_int_equal(count, ARRAY_SIZE(order));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(list[i].target, order[i]);
    pulled_deinit(&pulled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_when_nothing_needs_it),
        cmocka_unit_test(forgets_what_is_gone),
        cmocka_unit_test(begins_with_the_longest_unused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
