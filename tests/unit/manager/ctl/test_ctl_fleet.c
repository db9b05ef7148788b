/* Presence, names and groups; and which revision comes next. */

#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/ctl/fleet.h"
#include "manager/ctl/revision.h"
#include "manager/ctl/view.h"

static bool take(struct fleet *fleet, const char *topic, const char *payload)
{
    return fleet_take(fleet, topic, payload, strlen(payload));
}

static int make(void **state)
{
    static struct fleet fleet;

    fleet = (struct fleet){0};
    *state = &fleet;
    return 0;
}

static int drop(void **state)
{
    fleet_deinit(*state);
    return 0;
}

static enum presence presence_after(struct fleet *fleet, bool online, int session)
{
    char payload[128];

    (void)snprintf(payload, sizeof payload, "{\"node\": \"a\", \"online\": %s, \"session\": %d}",
                   online ? "true" : "false", session);
    (void)take(fleet, "bellbuoy/nodes/a/presence", payload);
    return fleet_find(fleet, "a")->presence;
}

/* A will of an earlier session comes late: it is not believed. */
static void test_late_will(void **state)
{
    struct fleet *fleet = *state;
    assert_int_equal(presence_after(fleet, true, 3), PRESENCE_ONLINE);
    assert_int_equal(presence_after(fleet, false, 2), PRESENCE_ONLINE);
    assert_int_equal(presence_after(fleet, false, 3), PRESENCE_OFFLINE);
    assert_int_equal(presence_after(fleet, true, 4), PRESENCE_ONLINE);
}

static void test_late_will_after_report(void **state)
{
    struct fleet *fleet = *state;
    assert_true(take(fleet, "bellbuoy/nodes/a/reported", "{\"node\": \"a\", \"session\": 5}"));
    assert_int_equal(presence_after(fleet, false, 4), PRESENCE_UNKNOWN);
}

/* Retained messages come in any order. */
static void test_late_will_before_report(void **state)
{
    struct fleet *fleet = *state;
    assert_int_equal(presence_after(fleet, false, 4), PRESENCE_OFFLINE);
    assert_true(take(fleet, "bellbuoy/nodes/a/reported", "{\"node\": \"a\", \"session\": 5}"));
    assert_int_equal(fleet_find(fleet, "a")->presence, PRESENCE_UNKNOWN);
    assert_int_equal(presence_after(fleet, true, 5), PRESENCE_ONLINE);
}

static void test_names(void **state)
{
    struct fleet *fleet = *state;
    assert_true(take(fleet, "bellbuoy/nodes/press_7/presence", "{\"node\": \"press.7\"}"));
    const struct node *node = fleet_find(fleet, "press.7");
    assert_non_null(node);
    assert_string_equal(node->name, "press.7");
    assert_ptr_equal(fleet_find(fleet, "press_7"), node);
    assert_string_equal(fleet_nearest(fleet, "pres.7"), "press.7");
    /* a payload that names another node is not believed */
    assert_true(take(fleet, "bellbuoy/nodes/press_7/reported", "{\"node\": \"root\"}"));
    assert_string_equal(node->name, "press_7");
}

static void test_order(void **state)
{
    struct fleet *fleet = *state;
    static const char *const names[] = {"c", "a", "d", "b"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_non_null(fleet_add(fleet, names[i]));
    assert_ptr_equal(fleet_add(fleet, "a"), fleet_find(fleet, "a"));
    assert_int_equal(fleet->count, 4);
    for (size_t i = 0; i < fleet->count; i++)
        assert_int_equal(fleet->nodes[i]->name[0], 'a' + (int)i);
}

static void test_what_is_not_a_nodes(void **state)
{
    struct fleet *fleet = *state;
    assert_false(take(fleet, "bellbuoy/nodes/a/presence", "not JSON"));
    assert_false(take(fleet, "bellbuoy/nodes/a/presence", "[1]"));
    assert_false(take(fleet, "bellbuoy/nodes/a/presence", ""));
    assert_false(take(fleet, "bellbuoy/nodes/a/desired/p", "{}"));
    assert_false(take(fleet, "bellbuoy/events/a/hello", "{}"));
}

static void test_groups_and_revisions(void **state)
{
    struct fleet *fleet = *state;
    assert_true(take(fleet, "bellbuoy/nodes/a/reported",
                     "{\"node\": \"a\", \"groups\": [{\"name\": \"g\", \"priority\": 7}, 3],"
                     " \"projects\": {\"p\": {\"desired\": {\"revision\": 4}, \"applied\":"
                     " {\"revision\": 9}, \"lastGood\": {}}, \"q\": 1}}"));
    const struct node *node = fleet_find(fleet, "a");
    assert_int_equal(view_int(node_group(node, "g"), "priority"), 7);
    assert_null(node_group(node, "h"));
    assert_int_equal(revision_reported(node, "p"), 9);
    assert_int_equal(revision_reported(node, "q"), 0);
    assert_int_equal(revision_reported(node, "r"), 0);
}

static void test_published_revision(void **state)
{
    static const struct {
        const char *document;
        int64_t revision;
    } cases[] = {
        {"{\"revision\": 4}", 4},
        {"{\"revision\": -4}", 0},
        {"{\"revision\": \"4\"}", 0},
        {"{\"revision\": 1e300}", 0},
        {"{}", 0},
        {"null", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cJSON *document = cJSON_Parse(cases[i].document);
        assert_int_equal(revision_published(document), cases[i].revision);
        cJSON_Delete(document);
    }
    assert_int_equal(revision_published(NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_late_will),
        TEST(test_late_will_after_report),
        TEST(test_late_will_before_report),
        TEST(test_names),
        TEST(test_order),
        TEST(test_what_is_not_a_nodes),
        TEST(test_groups_and_revisions),
        TEST(test_published_revision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
