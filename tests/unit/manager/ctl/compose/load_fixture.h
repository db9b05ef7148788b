#pragma once

/* A loading without files, for the tests of its parts. cmocka.h last: it needs the headers above.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/str.h"
#include "manager/ctl/compose/load.h"

struct fixture {
    struct load load;
    struct err e;
};

static inline void fixture_deinit(struct fixture *f)
{
    cJSON_Delete(f->load.warnings);
    arena_deinit(&f->load.arena);
}

/* In /work, with HOME=/home/user, SET=value and EMPTY=. */
static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.load = {.working_dir = "/work", .warnings = cJSON_CreateArray()}};
    f->load.e = &f->e;
    assert_non_null(f->load.warnings);
    assert_int_equal(variables_set(&f->load.variables, &f->load.arena, "HOME", "/home/user"), 0);
    assert_int_equal(variables_set(&f->load.variables, &f->load.arena, "SET", "value"), 0);
    assert_int_equal(variables_set(&f->load.variables, &f->load.arena, "EMPTY", ""), 0);
}

static inline void fixture_deinit_cleanup(struct fixture *f)
{
    fixture_deinit(f);
}

/* NULL equals only NULL. */
static inline void require_text(const char *what, const char *is, const char *should)
{
    if (!str_equal(is, should)) {
        fail_msg("%s: it is \"%s\", not \"%s\"", what, is == NULL ? "(null)" : is,
                 should == NULL ? "(null)" : should);
    }
}

static inline struct node *fixture_string(struct fixture *f, const char *text)
{
    struct node *node = node_string(&f->load.arena, (struct place){"file", 1, 2}, text);
    assert_non_null(node);
    return node;
}
