/*
 * Makes a journal of many rows, for the measurements of resume and of queries.
 *
 *     fill DIR ROWS
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rows.h"
#include "common/base/log.h"

#define BATCH_ROWS 1000

int main(int argc, char **argv)
{
    struct journal *journal AUTO(journal_free) = NULL;
    struct batch batch;
    struct err e = {0};

    if (argc != 3) {
        fprintf(stderr, "usage: fill DIR ROWS\n");
        return 2;
    }
    unsigned long rows = strtoul(argv[2], NULL, 10);
    const struct journal_settings settings = {
        .dir = argv[1], .clock = &clock_system, .random = &random_kernel};
    log_setup(LOG_ERROR, LOG_LOGFMT);
    batch_init(&batch, 64 << 20);
    int r = journal_new(&settings, &journal, &e);
    if (r == 0)
        r = journal_open(journal, &e);
    for (unsigned long i = 0; r == 0 && i < rows; i++) {
        bench_add_row(&batch, i + 1);
        if (batch.count == BATCH_ROWS || i + 1 == rows) {
            r = journal_append(journal, &batch, &e);
            batch_reset(&batch);
        }
    }
    batch_deinit(&batch);
    if (r < 0)
        fprintf(stderr, "fill: %s\n", e.msg);
    return r < 0;
}
