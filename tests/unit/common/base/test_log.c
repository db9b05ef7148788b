#include "common/base/log.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"

/* stderr is a pipe between capture_start() and capture_end(). */
static struct {
    int stderr_fd;
    int read_fd;
    char text[1 << 16];
} capture;

static void capture_into(int fd)
{
    capture.stderr_fd = dup(STDERR_FILENO);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

static void capture_start(void)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    capture.read_fd = fds[0];
    capture_into(fds[1]);
}

static const char *capture_end(void)
{
    dup2(capture.stderr_fd, STDERR_FILENO);
    close(capture.stderr_fd);
    size_t len = 0;
    for (ssize_t got;
         (got = read(capture.read_fd, capture.text + len, sizeof capture.text - 1 - len)) > 0;) {
        len += (size_t)got;
    }
    capture.text[len] = '\0';
    close(capture.read_fd);
    return capture.text;
}

/* What follows the time stamp. */
static const char *after_time(const char *line)
{
    assert_int_equal(strncmp(line, "time=20", 7), 0);
    assert_int_equal(line[5 + 27], ' ');
    return line + 5 + 27 + 1;
}

static void test_logfmt_line(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_LOGFMT);
    capture_start();
    log_warning("ingest", "batch stored", LOG_INT("messages", -12), LOG_STR("topic", "a/b"),
                LOG_BOOL("late", true), LOG_STR("left_out", NULL), LOG_SECURITY);
    assert_string_equal(
        after_time(capture_end()),
        "level=warning component=ingest msg=\"batch stored\" messages=-12 topic=a/b "
        "late=true security=1\n");
}

static void test_logfmt_quotes_as_needed(void **state)
{
    static const struct {
        const char *value;
        const char *shown;
    } cases[] = {
        {"plain", "plain"},
        {"a\\b", "a\\b"},
        {"{x}", "{x}"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"", "\"\""},
        {"null", "\"null\""},
        {"a b", "\"a b\""},
        {"a=b", "\"a=b\""},
        {"say \"x\\\"", "\"say \\\"x\\\\\\\"\""},
        {"a\nlevel=error", "\"a\\nlevel=error\""},
        {"a\r\tb", "\"a\\r\\tb\""},
        {"\x1b[2J", "\"\\u001b[2J\""},
        {"\x7f", "\"\\u007f\""},
        {"\xc2\x9b"
         "2J",
         "\"\\u009b2J\""}, /* a C1 control: the one-byte ESC [ */
        {"\xc2\xa0", "\xc2\xa0"},
        {"a\xff"
         "b",
         "\"a\\ufffdb\""},
        {"cut \xe2\x82", "\"cut \\ufffd\\ufffd\""},
    };
    (void)state;
    log_setup(LOG_INFO, LOG_LOGFMT);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(buf_deinit) struct buf line = BUF_INIT(1000);
        buf_appendf(&line, "level=info component=x msg=\"m\" key=%s\n", cases[i].shown);
        capture_start();
        log_info("x", "m", LOG_STR("key", cases[i].value));
        assert_string_equal(after_time(capture_end()), line.data);
    }
}

static void test_json_line(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    capture_start();
    log_error("x", "say \"m\"\n", LOG_STR("text", "\x1b\xff\xc3\xa9=\\"), LOG_INT("n", INT64_MIN),
              LOG_BOOL("b", false), LOG_STR("left_out", NULL));
    const char *line = capture_end();
    static const char head[] = "{\"time\":\"20";
    assert_int_equal(strncmp(line, head, sizeof head - 1), 0);
    assert_string_equal(strstr(line, "\"level\""),
                        "\"level\":\"error\",\"component\":\"x\",\"msg\":\"say \\\"m\\\"\\n\","
                        "\"text\":\"\\u001b\\ufffd\xc3\xa9=\\\\\",\"n\":-9223372036854775808,"
                        "\"b\":false}\n");
}

static void test_levels(void **state)
{
    (void)state;
    for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        log_setup(level, LOG_LOGFMT);
        capture_start();
        log_error("x", "e");
        log_warning("x", "w");
        log_info("x", "i");
        log_debug("x", "d");
        const char *text = capture_end();
        assert_int_equal(strstr(text, "level=error") != NULL, log_enabled(LOG_ERROR));
        assert_int_equal(strstr(text, "level=warning") != NULL, level >= LOG_WARNING);
        assert_int_equal(strstr(text, "level=info") != NULL, level >= LOG_INFO);
        assert_int_equal(strstr(text, "level=debug") != NULL, level >= LOG_DEBUG);
        assert_true(log_enabled(level));
        assert_int_equal(log_enabled(LOG_DEBUG), level == LOG_DEBUG);
    }
}

static void test_long_values_are_cut_between_characters(void **state)
{
    char value[2000];
    char kept[1000];
    (void)state;
    value[0] = 'x';
    for (size_t i = 1; i + 2 < sizeof value; i += 2) {
        memcpy(value + i, "\xc3\xa9", 3);
    }
    log_setup(LOG_INFO, LOG_LOGFMT);
    capture_start();
    log_info("x", "m", LOG_STR("long", value), LOG_STR("next", "here"));
    /* 512 bytes would go through a character. */
    snprintf(kept, sizeof kept, "%.511s\xe2\x80\xa6\" next=here\n", value);
    assert_string_equal(strstr(capture_end(), "long=") + 6, kept);
}

/* A line of more than PIPE_BUF bytes could mix with another's. */
static void test_line_stays_atomic_and_well_formed(void **state)
{
    char value[600];
    (void)state;
    memset(value, '\x01', sizeof value);
    value[sizeof value - 1] = '\0';
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        log_setup(LOG_INFO, (enum log_format)format);
        capture_start();
        log_info("x", value, LOG_STR("a", value), LOG_STR("b", value), LOG_INT("c", 3));
        const char *line = capture_end();
        size_t len = strlen(line);
        assert_true(len <= PIPE_BUF);
        assert_int_equal(line[len - 1], '\n');
        assert_ptr_equal(strchr(line, '\n'), line + len - 1);
        assert_non_null(strstr(line, format == LOG_JSON ? ",\"c\":3" : " c=3"));
        if (format == LOG_JSON) {
            cJSON *json = cJSON_Parse(line);
            assert_non_null(json);
            assert_non_null(cJSON_GetObjectItem(json, "msg"));
            cJSON_Delete(json);
        }
    }
}

static void test_line_of_every_length_near_the_limit(void **state)
{
    char value[511];
    (void)state;
    memset(value, 'v', sizeof value);
    log_setup(LOG_INFO, LOG_JSON);
    size_t longest = 0;
    for (size_t len = 0; len < sizeof value; len++) {
        const char *last = value + sizeof value - 1 - len;
        value[sizeof value - 1] = '\0';
        capture_start();
        log_info("x", value, LOG_STR("a", value), LOG_STR("b", value), LOG_STR("c", value),
                 LOG_STR("d", value), LOG_STR("e", value), LOG_STR("f", value), LOG_STR("g", last));
        const char *line = capture_end();
        size_t line_len = strlen(line);
        longest = line_len > longest ? line_len : longest;
        assert_string_equal(line + line_len - 3, "\"}\n");
    }
    assert_int_equal(longest, PIPE_BUF);
}

static void test_colour_on_a_terminal_only(void **state)
{
    static const struct {
        const char *no_color;
        enum log_format format;
        const char *shown;
    } cases[] = {
        {NULL, LOG_LOGFMT, "level=\x1b[31merror\x1b[0m "},
        {"", LOG_LOGFMT, "level=\x1b[31merror\x1b[0m "},
        {"1", LOG_LOGFMT, "level=error "},
        {NULL, LOG_JSON, "\"level\":\"error\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (cases[i].no_color != NULL) {
            setenv("NO_COLOR", cases[i].no_color, 1);
        } else {
            unsetenv("NO_COLOR");
        }
        capture.read_fd = posix_openpt(O_RDWR | O_NOCTTY);
        assert_int_equal(grantpt(capture.read_fd), 0);
        assert_int_equal(unlockpt(capture.read_fd), 0);
        capture_into(open(ptsname(capture.read_fd), O_RDWR | O_NOCTTY));
        log_setup(LOG_INFO, cases[i].format);
        log_error("x", "m");
        const char *text = capture_end();
        if (strstr(text, cases[i].shown) == NULL) {
            fail_msg("case %zu: %s", i, text);
        }
    }
}

static void test_errno_survives(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_LOGFMT);
    int saved = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    errno = EDOM;
    log_info("x", "nobody hears this");
    int after = errno;
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(after, EDOM);
}

static void *log_many(void *unused)
{
    for (int i = 0; i < 100; i++) {
        log_info("thread", "a line", LOG_INT("i", i));
    }
    return unused;
}

static void test_lines_of_threads_do_not_mix(void **state)
{
    pthread_t threads[4];
    int lines = 0;
    (void)state;
    log_setup(LOG_INFO, LOG_LOGFMT);
    capture_start();
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, NULL), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    char *rest = NULL;
    char *text = strdup(capture_end());
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        static const char form[] = "level=info component=thread msg=\"a line\" i=";
        assert_int_equal(strncmp(after_time(line), form, sizeof form - 1), 0);
        lines++;
    }
    free(text);
    assert_int_equal(lines, 400);
}

static void test_limit(void **state)
{
    struct log_limit limit = {0, 0};
    uint64_t suppressed = 99;
    (void)state;
    assert_true(log_limit_pass(&limit, 5000, 1000, &suppressed));
    assert_int_equal(suppressed, 0);
    suppressed = 99;
    assert_false(log_limit_pass(&limit, 5001, 1000, &suppressed));
    assert_false(log_limit_pass(&limit, 5999, 1000, &suppressed));
    assert_int_equal(suppressed, 99);
    assert_true(log_limit_pass(&limit, 6000, 1000, &suppressed));
    assert_int_equal(suppressed, 2);
    assert_true(log_limit_pass(&limit, 7000, 1000, &suppressed));
    assert_int_equal(suppressed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logfmt_line),
        cmocka_unit_test(test_logfmt_quotes_as_needed),
        cmocka_unit_test(test_json_line),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_long_values_are_cut_between_characters),
        cmocka_unit_test(test_line_stays_atomic_and_well_formed),
        cmocka_unit_test(test_line_of_every_length_near_the_limit),
        cmocka_unit_test(test_colour_on_a_terminal_only),
        cmocka_unit_test(test_errno_survives),
        cmocka_unit_test(test_lines_of_threads_do_not_mix),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
