#pragma once

/*
 * Opens the journal's file for writing, makes it where it is missing, and puts a bad one aside.
 * The caller holds the lock on the folder.
 */

#include "common/base/clock.h"
#include "receiver/journal/db.h"

#define JOURNAL_FILE "journal.db"

#define SQLITE_REPLACED_SIZE 320

/*
 * `epoch` is for a journal that is made now. `replaced` is set where a file was put aside (which,
 * where to and why), on failure too, and else left alone. 0, or -errno as db_fail() gives them;
 * -ENOTSUP for a journal of a newer version, which stays where it is.
 */
MUST_CHECK int sqlite_open(const char *dir, uint32_t epoch, const struct clock *clock,
                           char replaced[static SQLITE_REPLACED_SIZE], sqlite3 **ret_db,
                           struct err *e);

/*
 * A write that met damage leaves a mark: at the next start the file goes aside, though its header
 * and last row may look good. Best effort.
 */
void sqlite_mark_damaged(const char *dir);
