#pragma once

/*
 * One log line: `time=... level=info component=ingest msg="..." key=value ...` on stderr, or the
 * same as a JSON object. A line is written by one write(2), so lines of several threads do not mix.
 * Levels are coloured on a terminal only. Never log a payload or a secret.
 *
 * Fields come after the message as pairs made by the LOG_* macros and end by themselves:
 *
 *     log_info("ingest", "batch stored", LOG_INT("messages", n), LOG_STR("topic", topic));
 *
 * Thread-safe after log_setup().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

enum log_field_kind { LOG_FIELD_END, LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL };

struct log_field {
    enum log_field_kind kind;
    const char *key;
    const char *str; /* may be NULL: the field is left out */
    int64_t num;
};

#define LOG_STR(key, value)  ((struct log_field){LOG_FIELD_STR, (key), (value), 0})
#define LOG_INT(key, value)  ((struct log_field){LOG_FIELD_INT, (key), NULL, (int64_t)(value)})
#define LOG_BOOL(key, value) ((struct log_field){LOG_FIELD_BOOL, (key), NULL, (value) ? 1 : 0})
/* Marks a line about security: a refused token, an ACL denial, a bad certificate. */
#define LOG_SECURITY LOG_INT("security", 1)

/* Once, before other threads start. The default is LOG_INFO and LOG_LOGFMT. */
void log_setup(enum log_level level, enum log_format format);

/* True where a line of this level would be written: guards work made only for a log line. */
bool log_enabled(enum log_level level);

/* `fields` ends with kind LOG_FIELD_END. Control characters and quotes in values are escaped. */
void log_write(enum log_level level, const char *component, const char *msg,
               const struct log_field *fields);

/* `...` is the message and then any number of fields. */
#define log_error(component, ...)   LOG_FIELDS(LOG_ERROR, component, __VA_ARGS__, LOG_END)
#define log_warning(component, ...) LOG_FIELDS(LOG_WARNING, component, __VA_ARGS__, LOG_END)
#define log_info(component, ...)    LOG_FIELDS(LOG_INFO, component, __VA_ARGS__, LOG_END)
#define log_debug(component, ...)   LOG_FIELDS(LOG_DEBUG, component, __VA_ARGS__, LOG_END)

#define LOG_END ((struct log_field){LOG_FIELD_END, NULL, NULL, 0})
#define LOG_FIELDS(level, component, msg, ...)                                                     \
    log_write((level), (component), (msg), (const struct log_field[]){__VA_ARGS__})

/*
 * Lets through the first of a kind of line and then one per `period_ms`, so that a stranger cannot
 * fill the disk with log lines. `*last_ms` starts as 0 and belongs to the caller; `*ret_suppressed`
 * tells how many were held back since the last that was let through.
 */
struct log_limit {
    int64_t last_ms;
    uint64_t suppressed;
};
bool log_limit_pass(struct log_limit *limit, int64_t now_ms, int64_t period_ms,
                    uint64_t *ret_suppressed);
