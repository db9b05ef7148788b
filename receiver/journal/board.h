#pragma once

/*
 * What other threads may see of the journal: its status, and what the background check found. The
 * writer's thread puts up the status; any thread may look, and may report a check.
 */

#include <pthread.h>

#include "receiver/journal/journal.h"
#include "receiver/journal/writer.h"

#define BOARD_DAMAGE_SIZE 256

struct board {
    pthread_mutex_t mutex;
    struct journal_status status;
    char damage[BOARD_DAMAGE_SIZE]; /* "": none */
    bool checked;                   /* and no incident is written of it yet */
};

void board_init(struct board *board);
void board_deinit(struct board *board);

/* As committed: the journal is open and was written. */
void board_put(struct board *board, const struct writer *writer, int64_t size_bytes);
/* `code` is a positive errno value. */
void board_put_failure(struct board *board, int code, const char *reason);
void board_look(struct board *board, struct journal_status *ret_status);

/* The outcome of a background check, "" for none found. */
void board_report(struct board *board, const char *damage);
/* True once for each report, with what it said. */
bool board_take_report(struct board *board, char damage[static BOARD_DAMAGE_SIZE]);
