#include "receiver/api/page.h"

#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- a request, as far as page.c looks at one ---- */

struct http_request {
    const char *path;
    const char *const *parameters; /* name, value, ..., NULL */
};

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

void http_request_each_query(struct http_request *request,
                             void (*each)(void *context, const char *name, const char *value),
                             void *context)
{
    for (const char *const *p = request->parameters; *p != NULL; p += 2)
        each(context, p[0], p[1]);
}

static void test_next(void **state)
{
    static const struct {
        const char *parameters[9];
        const char *key;
        const char *position;
        const char *next;
    } cases[] = {
        {{NULL}, "before", "5f3a9c01-1155", "/x?before=5f3a9c01-1155&limit=50"},
        {{"type", "hello", "before", "5f3a9c01-2000", "limit", "7", NULL},
         "before",
         "5f3a9c01-1155",
         "/x?type=hello&before=5f3a9c01-1155&limit=50"},
        /* descending between two cursors: the other one stays */
        {{"after", "5f3a9c01-1", "q", "a b&c=d%", NULL},
         "before",
         "5f3a9c01-9",
         "/x?after=5f3a9c01-1&q=a%20b%26c%3Dd%25&before=5f3a9c01-9&limit=50"},
        {{"q", "gr\xc3\xbc\"n\n", NULL},
         "after",
         "/machines/a b",
         "/x?q=gr%C3%BC%22n%0A&after=/machines/a%20b&limit=50"},
        {{"since", "2026-11-20T21:38:01+01:00", NULL},
         "after",
         "1",
         "/x?since=2026-11-20T21:38:01%2B01:00&after=1&limit=50"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request = {"/x", cases[i].parameters};
        struct buf body AUTO(buf_deinit) = BUF_INIT(1024);
        char link[PAGE_LINK_SIZE], expected[PAGE_LINK_SIZE];
        struct page page;
        page_init(&page, &request, cases[i].key, 50, 0);
        assert_false(page_format_link(&page, link));
        page_append_next(&page, &body);
        assert_string_equal(body.data, "\"next\":null");
        buf_reset(&body);

        page_set_next(&page, cases[i].position);
        page_append_next(&page, &body);
        snprintf(expected, sizeof(expected), "\"next\":\"%s\"", cases[i].next);
        assert_string_equal(body.data, expected);
        assert_true(page_format_link(&page, link));
        snprintf(expected, sizeof(expected), "<%s>; rel=\"next\"", cases[i].next);
        assert_string_equal(link, expected);
        page_deinit(&page);
    }
}

static void test_long_url_has_no_link(void **state)
{
    static char q[PAGE_LINK_SIZE];
    const char *parameters[] = {"q", q, NULL};
    struct http_request request = {"/x", parameters};
    struct buf body AUTO(buf_deinit) = BUF_INIT(4096);
    char link[PAGE_LINK_SIZE];
    struct page page;

    (void)state;
    memset(q, 'q', sizeof(q) - 1);
    page_init(&page, &request, "after", 50, 0);
    page_set_next_id(&page, 7);
    assert_false(page_format_link(&page, link));
    page_append_next(&page, &body);
    assert_non_null(strstr(body.data, "q&after=7&limit=50\""));
    page_deinit(&page);
}

static void test_size_of_a_page(void **state)
{
    const char *parameters[] = {NULL};
    struct http_request request = {"/x", parameters};
    struct buf body AUTO(buf_deinit) = BUF_INIT(PAGE_MAX_BYTES);
    struct page page;

    (void)state;
    page_init(&page, &request, "after", 50, 0);
    /* The first always fits, however large. */
    assert_true(page_begin_item(&page, &body, PAGE_SOFT_BYTES * 2));
    buf_append_str(&body, "1");
    assert_true(page_begin_item(&page, &body, 1));
    buf_append_str(&body, "2");
    assert_string_equal(body.data, "1,2");
    assert_false(page.is_full);
    assert_false(page_begin_item(&page, &body, PAGE_SOFT_BYTES));
    assert_true(page.is_full);
    /* Not even a small one after it: rows go out in order or not at all. */
    assert_false(page_begin_item(&page, &body, 1));
    assert_string_equal(body.data, "1,2");
    page_deinit(&page);
}

static void test_small_pages_while_answers_are_not_read(void **state)
{
    const char *parameters[] = {NULL};
    struct http_request request = {"/x", parameters};
    struct buf body AUTO(buf_deinit) = BUF_INIT(PAGE_MAX_BYTES);
    struct page page;

    (void)state;
    page_init(&page, &request, "after", 50, PAGE_SHORT_BYTES);
    assert_true(page_begin_item(&page, &body, PAGE_SMALL_BYTES * 2));
    buf_append_str(&body, "1");
    assert_true(page_begin_item(&page, &body, PAGE_SMALL_BYTES - 1));
    assert_false(page_begin_item(&page, &body, PAGE_SMALL_BYTES));
    page_deinit(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_long_url_has_no_link),
        cmocka_unit_test(test_size_of_a_page),
        cmocka_unit_test(test_small_pages_while_answers_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
