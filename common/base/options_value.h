#pragma once

/* One option's value: from text or JSON, checked, and back to text. Nothing outside options*.c
 * needs it. */

#include <cjson/cJSON.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/options.h"

/* The member that the option's type names; the others are unused. */
struct option_value {
    const char *string;
    int64_t number; /* OPTION_INTEGER, OPTION_DURATION, OPTION_SIZE */
    bool boolean;
    int choice;
    struct option_list list;
};

/* What an option has that nobody gave and that has no default. */
struct option_value option_value_none(void);

/* 0; -EINVAL: not of this type; -ERANGE: out of range; -ENOMEM. Strings go into the arena. */
MUST_CHECK int option_value_parse(const struct option *option, const char *text,
                                  struct arena *arena, struct option_value *ret_value);
MUST_CHECK int option_value_from_json(const struct option *option, const cJSON *json,
                                      struct arena *arena, struct option_value *ret_value);

/* Writes the value to `option->offset` of `target`. */
void option_value_store(const struct option *option, const struct option_value *value,
                        void *target);

/* As --print-config shows it. A secret is masked here. */
void option_value_print(const struct option *option, const struct option_value *value,
                        struct buf *out);

/* "an integer from 1 to 10": what would be right. */
void option_value_append_wanted(const struct option *option, struct buf *out);
