#pragma once

/* Documents for tests, and what becomes of them. A failure fails the test. */

#include "manager/desired/document.h"

/* Allows all. */
extern const struct safety fixture_all;
/* Allows nothing; has a folder of secrets. */
extern const struct safety fixture_none;

/* The document around `members`, such as "\"services\":{}"; the caller frees. */
char *fixture_envelope(const char *members);
/* With one service "web" of an image and `members`; the caller frees. */
char *fixture_service(const char *members);

struct document *fixture_parse(const char *text, const struct safety *safety);
/* Must be refused; `ret_rejection` may be NULL. */
void fixture_refuse(const char *text, const struct safety *safety, struct rejection *ret_rejection);

/* `json`, which is `what`, must equal `expected`, or be NULL where that is. */
void fixture_assert_json(const char *what, const cJSON *json, const char *expected);
/* The value at "HostConfig|Memory"; NULL where there is none. */
const cJSON *fixture_at(const cJSON *json, const char *path);
