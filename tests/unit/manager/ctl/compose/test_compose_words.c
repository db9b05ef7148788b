#include "manager/ctl/compose/words.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/manager/ctl/compose/load_fixture.h"

/* Words in < >. */
static void join(const struct node *words, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (const struct node *word = words->first; word != NULL; word = word->next) {
        len += (size_t)snprintf(text + len, size - len, "<%s>", word->text);
        assert_true(len < size);
    }
}

static void test_split(void **state)
{
    static const struct {
        const char *line, *words, *dropped;
    } cases[] = {
        {"", "", ""},
        {"  ", "", ""},
        {"a b", "<a><b>", ""},
        {" a\t\nb\r", "<a><b>", ""},
        {"'a b' c", "<a b><c>", ""},
        {"\"a b\"c", "<a bc>", ""},
        {"a\\ b", "<a b>", ""},
        {"'a\\b'", "<a\\b>", ""},
        {"\"a\\\"b\"", "<a\"b>", ""},
        {"\"it's\"", "<it's>", ""},
        {"'say \"x\"'", "<say \"x\">", ""},
        {"\"\" x ''", "<><x><>", ""},
        {"$HOME ${X}", "<$HOME><${X}>", ""},
        {"$(date -u) x", "<$(date -u)><x>", ""},
        {"`date -u` x", "<`date -u`><x>", ""},
        {"a; b", "<a>", "; b"},
        {"a && b", "<a>", "&& b"},
        {"a|b", "<a>", "|b"},
        {"a 2>b", "<a>", ">b"},
        {"a >b", "<a>", ">b"},
        {"'a;b'", "<a;b>", ""},
        {"a\\;b", "<a;b>", ""},
        {"#a", "<#a>", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct node *words = NULL;
        const char *dropped = NULL;
        char text[256];
        fixture_init(&f);
        assert_int_equal(words_split(&f.load.arena, (struct place){"file", 1, 1}, cases[i].line,
                                     &words, &dropped),
                         0);
        join(words, text, sizeof text);
        require_text(cases[i].line, text, cases[i].words);
        require_text(cases[i].line, dropped, cases[i].dropped);
    }
}

static void test_what_is_not_closed(void **state)
{
    static const char *const lines[] = {"'a", "\"a", "a\\", "`a", "$(a", "a (b", "a)", "\"a'"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct node *words = NULL;
        const char *dropped = NULL;
        fixture_init(&f);
        int result =
            words_split(&f.load.arena, (struct place){"file", 1, 1}, lines[i], &words, &dropped);
        if (result != -EINVAL || words != NULL) {
            fail_msg("%s: %d", lines[i], result);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_what_is_not_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
