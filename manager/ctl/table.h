#pragma once

/* Rows under headings, each column as wide as its widest cell. Texts are copied. Running out of
 * memory shows in the buffer that it is printed to. */

#include <stddef.h>

#include "common/base/buf.h"
#include "manager/ctl/terminal.h"

struct table;

/* `headings` ends with NULL. NULL: no memory. */
struct table *table_new(const char *const *headings);
void table_free(struct table *table);
DEFINE_CLEANUP(struct table *, table_free);

/* The next cell, row by row; "" for an empty one. Accepts a NULL table. */
void table_add(struct table *table, enum style style, const char *text);
void table_addf(struct table *table, enum style style, const char *format, ...) FORMAT(3, 4);
size_t table_rows(const struct table *table);

void table_print(const struct table *table, const struct terminal *terminal, struct buf *out);
