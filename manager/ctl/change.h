#pragma once

/* What differs between two documents, key by key. Pure. */

#include <cjson/cJSON.h>

#include "manager/ctl/terminal.h"

/*
 * An array of {"path": JSON pointer, "from", "to"}, without "from" for what is new and without "to"
 * for what is gone. Members that name the one publication (revision, id, times) are left out. The
 * caller frees; NULL: no memory. `from` may be NULL: there is nothing yet.
 */
cJSON *change_list(const cJSON *from, const cJSON *to);

/* A line each: "~ /services/web/image: "a" -> "b"", "+ ...", "- ...". */
void change_append(struct buf *out, const struct terminal *terminal, const cJSON *changes);
