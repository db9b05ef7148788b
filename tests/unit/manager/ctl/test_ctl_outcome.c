#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/ctl/outcome.h"

#define OURS "\"desired\": {\"revision\": 7, \"id\": \"x\", \"accepted\": true}"

static const struct {
    const char *project; /* NULL: the report has none */
    const char *group;
    enum outcome outcome;
} cases[] = {
    {NULL, NULL, OUTCOME_PENDING},
    {"{}", NULL, OUTCOME_PENDING},
    {"{" OURS ", \"phase\": \"UPDATING\"}", NULL, OUTCOME_PENDING},
    {"{" OURS ", \"phase\": \"COMPLETED\", \"converged\": true}", NULL, OUTCOME_CONVERGED},
    {"{" OURS ", \"phase\": \"COMPLETED\", \"converged\": false}", NULL, OUTCOME_PENDING},
    {"{" OURS ", \"phase\": \"INCOMPLETE\"}", NULL, OUTCOME_PENDING},
    {"{" OURS ", \"phase\": \"ROLLING_BACK\"}", NULL, OUTCOME_PENDING},
    {"{" OURS ", \"phase\": \"ROLLED_BACK\", \"converged\": true}", NULL, OUTCOME_ROLLED_BACK},
    {"{" OURS ", \"phase\": \"STALLED\"}", NULL, OUTCOME_STALLED},
    {"{" OURS ", \"phase\": \"REJECTED\"}", NULL, OUTCOME_REJECTED},
    {"{\"desired\": {\"revision\": 7, \"id\": \"x\", \"accepted\": false}, \"phase\":"
     " \"COMPLETED\", \"converged\": true}",
     NULL, OUTCOME_REJECTED},
    /* the same revision of another publication is not ours */
    {"{\"desired\": {\"revision\": 7, \"id\": \"y\", \"accepted\": true}, \"phase\": \"COMPLETED\","
     " \"converged\": true}",
     NULL, OUTCOME_PENDING},
    /* without an id the revision tells */
    {"{\"desired\": {\"revision\": 7, \"accepted\": true}, \"phase\": \"COMPLETED\","
     " \"converged\": true}",
     NULL, OUTCOME_CONVERGED},
    {"{\"desired\": {\"revision\": 8, \"id\": \"y\", \"accepted\": true}}", NULL,
     OUTCOME_SUPERSEDED},
    {"{\"desired\": {\"revision\": 8, \"id\": \"y\"}, \"reason\": {\"code\": \"stale\"}}", NULL,
     OUTCOME_REJECTED},
    {"{\"desired\": {\"revision\": 7, \"id\": \"y\"}, \"reason\": {\"code\": \"conflict\"}}", NULL,
     OUTCOME_REJECTED},
    /* groups */
    {"{\"source\": \"node\", \"desired\": {\"revision\": 3, \"id\": \"y\"}}", "low",
     OUTCOME_SHADOWED},
    {"{\"source\": \"group:high\", \"desired\": {\"revision\": 3, \"id\": \"y\"}}", "low",
     OUTCOME_SHADOWED},
    {"{\"source\": \"group:low\", \"desired\": {\"revision\": 3, \"id\": \"y\"}}", "high",
     OUTCOME_PENDING},
    {"{\"source\": \"group:low\", " OURS ", \"phase\": \"COMPLETED\", \"converged\": true}", "low",
     OUTCOME_CONVERGED},
};

static void test_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fleet fleet = {0};
        char report[1024];
        (void)snprintf(report, sizeof report,
                       "{\"node\": \"a\", \"groups\": [{\"name\": \"low\", \"priority\": 1},"
                       " {\"name\": \"high\", \"priority\": 2}], \"projects\": {\"%s\": %s}}",
                       cases[i].project ? "p" : "q", cases[i].project ? cases[i].project : "{}");
        assert_true(fleet_take(&fleet, "bellbuoy/nodes/a/reported", report, strlen(report)));
        const struct expectation expected = {
            .project = "p", .id = "x", .revision = 7, .group = cases[i].group};
        enum outcome outcome = outcome_of(fleet.nodes[0], &expected);
        if (outcome != cases[i].outcome)
            fail_msg("case %zu: %s", i, outcome_name(outcome));
        fleet_deinit(&fleet);
    }
}

static const struct {
    enum outcome outcomes[3];
    size_t count;
    enum ctl_exit status;
} exits[] = {
    {{0}, 0, CTL_CONVERGED},
    {{OUTCOME_CONVERGED, OUTCOME_CONVERGED}, 2, CTL_CONVERGED},
    {{OUTCOME_REJECTED}, 1, CTL_REJECTED},
    {{OUTCOME_REJECTED, OUTCOME_REJECTED}, 2, CTL_REJECTED},
    {{OUTCOME_TIMEOUT}, 1, CTL_TIMEOUT},
    {{OUTCOME_ROLLED_BACK}, 1, CTL_ROLLED_BACK},
    {{OUTCOME_STALLED}, 1, CTL_PARTIAL},
    {{OUTCOME_ABSENT}, 1, CTL_ABSENT},
    {{OUTCOME_ABSENT, OUTCOME_CONVERGED}, 2, CTL_ABSENT},
    {{OUTCOME_CONVERGED, OUTCOME_ROLLED_BACK}, 2, CTL_PARTIAL},
    {{OUTCOME_ABSENT, OUTCOME_ROLLED_BACK}, 2, CTL_PARTIAL},
    {{OUTCOME_REJECTED, OUTCOME_TIMEOUT}, 2, CTL_PARTIAL},
};

static void test_exits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
        assert_int_equal(outcome_exit(exits[i].outcomes, exits[i].count), exits[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_exits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
