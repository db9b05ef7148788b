#include "receiver/journal/board.h"

#include <stdio.h>
#include <string.h>

const char *journal_state_name(enum journal_state state)
{
    static const char *const names[] = {
        [JOURNAL_OPENING] = "opening",   [JOURNAL_OK] = "ok",         [JOURNAL_FULL] = "full",
        [JOURNAL_READONLY] = "readonly", [JOURNAL_FAILED] = "failed", [JOURNAL_DAMAGED] = "damaged",
    };
    return names[state];
}

void board_init(struct board *board)
{
    *board = (struct board){.status.state = JOURNAL_OPENING};
    (void)pthread_mutex_init(&board->mutex, NULL);
}

void board_deinit(struct board *board)
{
    (void)pthread_mutex_destroy(&board->mutex);
}

void board_put(struct board *board, const struct writer *writer, int64_t size_bytes)
{
    const struct totals *totals = &writer->committed;
    (void)pthread_mutex_lock(&board->mutex);
    board->status = (struct journal_status){
        .state = *board->damage ? JOURNAL_DAMAGED : JOURNAL_OK,
        .is_open = true,
        .first = {writer->epoch, totals->deleted_through + 1},
        .last = {writer->epoch, totals->last_seq},
        .events = totals_events(totals),
        .size_bytes = size_bytes,
        .missing = totals->missing,
        .incidents_open = totals->incidents_open,
        .quarantined = totals->quarantined,
    };
    (void)snprintf(board->status.reason, sizeof board->status.reason, "%s", board->damage);
    (void)pthread_mutex_unlock(&board->mutex);
}

static enum journal_state state_of(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return JOURNAL_FULL;
    case EROFS:
    case EACCES:
    case EPERM:
        return JOURNAL_READONLY;
    default:
        return JOURNAL_FAILED;
    }
}

void board_put_failure(struct board *board, int code, const char *reason)
{
    (void)pthread_mutex_lock(&board->mutex);
    board->status.state = state_of(code);
    (void)snprintf(board->status.reason, sizeof board->status.reason, "%s", reason);
    (void)pthread_mutex_unlock(&board->mutex);
}

void board_look(struct board *board, struct journal_status *ret_status)
{
    (void)pthread_mutex_lock(&board->mutex);
    *ret_status = board->status;
    (void)pthread_mutex_unlock(&board->mutex);
}

void board_report(struct board *board, const char *damage)
{
    (void)pthread_mutex_lock(&board->mutex);
    (void)snprintf(board->damage, sizeof board->damage, "%s", damage);
    board->checked = true;
    if (*damage && board->status.state == JOURNAL_OK) {
        board->status.state = JOURNAL_DAMAGED;
        (void)snprintf(board->status.reason, sizeof board->status.reason, "%s", damage);
    }
    (void)pthread_mutex_unlock(&board->mutex);
}

bool board_take_report(struct board *board, char damage[static BOARD_DAMAGE_SIZE])
{
    (void)pthread_mutex_lock(&board->mutex);
    bool checked = board->checked;
    board->checked = false;
    memcpy(damage, board->damage, BOARD_DAMAGE_SIZE);
    (void)pthread_mutex_unlock(&board->mutex);
    return checked;
}
