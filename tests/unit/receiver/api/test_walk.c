#include "receiver/api/walk.h"

#include <stddef.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NONE UINT64_MAX

struct step {
    uint64_t after, before; /* exclusive; NONE: not given */
};

struct walk_case {
    bool ascending;
    uint64_t after, before; /* of the query */
    uint64_t first, last;   /* of the journal */
    uint64_t rows;
    struct step steps[6]; /* up to one of 0, 0 */
};

static const struct walk_case cases[] = {
    /* one step */
    {false, NONE, NONE, 1, 10, 10, {{0, NONE}}},
    {true, NONE, NONE, 1, 10, 10, {{0, NONE}}},
    /* downwards: the newest come with the first step, whatever came since */
    {false, NONE, NONE, 1, 10, 4, {{6, NONE}, {2, 7}, {0, 3}}},
    {false, NONE, NONE, 1, 9, 3, {{6, NONE}, {3, 7}, {0, 4}}},
    /* upwards: they come with the last */
    {true, NONE, NONE, 1, 10, 4, {{0, 5}, {4, 9}, {8, NONE}}},
    {true, NONE, NONE, 1, 9, 3, {{0, 4}, {3, 7}, {6, NONE}}},
    /* between cursors */
    {false, 2, 9, 1, 10, 3, {{5, 9}, {2, 6}}},
    {true, 2, 9, 1, 10, 3, {{2, 6}, {5, 9}}},
    /* retention took the first ones */
    {false, NONE, NONE, 101, 105, 3, {{102, NONE}, {100, 103}}},
    {true, NONE, NONE, 101, 105, 3, {{100, 104}, {103, NONE}}},
    {true, 7, NONE, 101, 105, 3, {{100, 104}, {103, NONE}}},
    /* cursors outside of the journal: one step, and the query's own bound */
    {false, NONE, INT64_MAX, 1, 3, 3, {{0, INT64_MAX}}},
    {true, INT64_MAX, NONE, 1, 3, 3, {{INT64_MAX, NONE}}},
    {false, INT64_MAX, NONE, 1, 3, 3, {{INT64_MAX, NONE}}},
    {true, NONE, 5, 101, 105, 3, {{100, 5}}},
    {false, NONE, 5, 101, 105, 3, {{100, 5}}},
    {false, 9, 2, 1, 10, 3, {{9, 2}}},
    /* an empty journal, and one that retention emptied */
    {false, NONE, NONE, 1, 0, 3, {{0, NONE}}},
    {true, NONE, NONE, 8, 7, 3, {{7, NONE}}},
};

static struct query make_query(const struct walk_case *c)
{
    struct query query = {.ascending = c->ascending, .limit = 50};
    if (c->after != NONE) {
        query.given |= QUERY_AFTER;
        query.after = (struct cursor){7, c->after};
    }
    if (c->before != NONE) {
        query.given |= QUERY_BEFORE;
        query.before = (struct cursor){7, c->before};
    }
    return query;
}

static void test_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct walk_case *c = &cases[i];
        const struct query query = make_query(c);
        struct walk walk;
        walk_init(&walk, &query, c->first, c->last);
        for (size_t n = 0; !walk.is_last; n++) {
            struct query step;
            walk_step(&walk, c->rows, &step);
            uint64_t after = step.given & QUERY_AFTER ? step.after.seq : NONE;
            uint64_t before = step.given & QUERY_BEFORE ? step.before.seq : NONE;
            if (after != c->steps[n].after || before != c->steps[n].before)
                fail_msg("case %zu, step %zu: after %ld, before %ld", i, n, (long)after,
                         (long)before);
            bool expect_last = c->steps[n + 1].after == 0 && c->steps[n + 1].before == 0;
            if (walk.is_last != expect_last)
                fail_msg("case %zu ends at another step than %zu", i, n);
        }
    }
}

/* Left at any place and begun anew from there, a walk reads the same rows, each once. */
static void test_places(void **state)
{
    (void)state;
    for (int ascending = 0; ascending <= 1; ascending++) {
        struct walk_case c = {ascending, NONE, NONE, 1, 20, 6, {{0, 0}}};
        struct query query = make_query(&c);
        unsigned seen = 0;
        struct walk walk;
        do {
            struct query step;
            walk_init(&walk, &query, c.first, c.last);
            walk_step(&walk, c.rows, &step);
            for (uint64_t seq = 1; seq <= c.last; seq++) {
                if (seq <= step.after.seq || (step.given & QUERY_BEFORE && seq >= step.before.seq))
                    continue;
                assert_int_equal(seen & 1U << seq, 0);
                seen |= 1U << seq;
            }
            query.given |= ascending ? QUERY_AFTER : QUERY_BEFORE;
            *(ascending ? &query.after : &query.before) = (struct cursor){7, walk_place(&walk)};
        } while (!walk.is_last);
        assert_int_equal(seen, (1U << 21) - 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
