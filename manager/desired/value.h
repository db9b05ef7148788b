#pragma once

/* Readers of plain values: one for each kind that Compose's keys have. */

#include "manager/desired/key.h"

key_reader value_read_string; /* "" equals an absent key */
key_reader value_read_bool;
key_reader value_read_integer;  /* also as decimal text, as Compose prints some */
key_reader value_read_choice;   /* of `choices` */
key_reader value_read_duration; /* "1m30s" -> ns */
key_reader value_read_size;     /* "128M", bytes -> bytes */
key_reader value_read_cpus;     /* 0.5, "0.5" -> 500000000 */
key_reader value_read_strings;  /* [string, ...]; [] equals an absent key but for `keep` */
key_reader value_read_map;      /* NAME: string, number or boolean -> NAME: string; null -> "" */
key_reader value_read_labels;   /* the same, without names that are ours or other managers' */
key_reader value_read_path;     /* absolute, without ".." */
key_reader value_read_name;     /* of an object of the engine */
key_reader value_read_time;     /* RFC 3339 -> the same text */

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255: what the engine takes as a name. */
bool value_is_engine_name(const char *name);
/* Compose's rule for projects and services: [a-z0-9][a-z0-9_-]* for a project, letters of both
 * cases and '.' for others; at most `max`. */
bool value_is_project_name(const char *name);
bool value_is_service_name(const char *name);

/* A scalar as text into `ret_text`, which it takes no ownership of; -EINVAL for others. */
MUST_CHECK int value_read_text(const struct reading *r, const struct place *at, const cJSON *value,
                               cJSON **ret_string);
/* An integer, also as text, within the bounds of `key`. */
MUST_CHECK int value_integer(const struct reading *r, const struct place *at, const struct key *key,
                             const cJSON *value, int64_t *ret_number);
