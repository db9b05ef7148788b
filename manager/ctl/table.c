#include "manager/ctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"

#define GAP         2
#define CELL_MAX    512
#define COLUMNS_MAX 16

struct cell {
    const char *text;
    enum style style;
};

struct table {
    struct arena arena;
    struct cell *cells; /* row by row, the headings first */
    size_t count, capacity;
    size_t columns;
    bool failed;
};

struct table *table_new(const char *const *headings)
{
    struct table *table = calloc(1, sizeof *table);

    if (!table)
        return NULL;
    while (headings[table->columns] && table->columns < COLUMNS_MAX)
        table->columns++;
    for (size_t i = 0; i < table->columns; i++)
        table_add(table, STYLE_STRONG, headings[i]);
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    arena_deinit(&table->arena);
    free(table->cells);
    free(table);
}

static bool make_room(struct table *table)
{
    size_t capacity = table->capacity ? table->capacity * 2 : 64;

    if (table->count < table->capacity)
        return true;
    struct cell *cells = realloc(table->cells, capacity * sizeof *cells);
    if (!cells)
        return false;
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

void table_add(struct table *table, enum style style, const char *text)
{
    if (!table)
        return;
    AUTO(buf_deinit) struct buf clean = BUF_INIT(CELL_MAX * 4);
    terminal_append(&clean, text);
    const char *copy = arena_copy(&table->arena, clean.data ? clean.data : "", clean.len);
    if (!copy || !make_room(table))
        table->failed = true;
    else
        table->cells[table->count++] = (struct cell){copy, style};
}

void table_addf(struct table *table, enum style style, const char *format, ...)
{
    char text[CELL_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_add(table, style, text);
}

size_t table_rows(const struct table *table)
{
    return table ? table->count / table->columns - 1 : 0;
}

static void measure(const struct table *table, size_t widths[static COLUMNS_MAX])
{
    for (size_t i = 0; i < table->count; i++) {
        size_t width = terminal_width(table->cells[i].text);
        size_t *widest = &widths[i % table->columns];
        *widest = width > *widest ? width : *widest;
    }
}

void table_print(const struct table *table, const struct terminal *terminal, struct buf *out)
{
    size_t widths[COLUMNS_MAX] = {0};

    if (!table || table->failed) {
        out->failed = true;
        return;
    }
    measure(table, widths);
    size_t gap = 0; /* blanks that are due before the next text: none at a line's end */
    for (size_t i = 0; i < table->count; i++) {
        const struct cell *cell = &table->cells[i];
        size_t column = i % table->columns;
        if (cell->text[0] != '\0') {
            buf_appendf(out, "%*s", (int)gap, "");
            gap = 0;
            terminal_append_styled(out, terminal, cell->style, cell->text);
        }
        gap += widths[column] - terminal_width(cell->text) + GAP;
        if (column == table->columns - 1) {
            buf_append_char(out, '\n');
            gap = 0;
        }
    }
}
