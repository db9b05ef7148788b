#pragma once

/*
 * What every file here needs of SQLite: failures as errno values with a sentence, prepared
 * statements that are finalized by scope or by their owner, and steps that mean one thing.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"

DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize);

/* The journal is damaged: SQLITE_CORRUPT, SQLITE_NOTADB, or what we found ourselves. */
#define DB_DAMAGED EUCLEAN

/*
 * The failure of the last call on `db` as -errno, its text in `e`: -ENOSPC (no space, quota, file
 * size limit), -EROFS (read-only, no permission), -DB_DAMAGED, -ENOMEM, -EBUSY, -ETIMEDOUT
 * (interrupted by the reader's deadline), -EIO for anything else.
 */
MUST_CHECK int db_fail(sqlite3 *db, int rc, struct err *e);

/* Statements without result. */
MUST_CHECK int db_exec(sqlite3 *db, const char *sql, struct err *e);
MUST_CHECK int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt, struct err *e);

/* One of many: `sql` is prepared into `*stmt`, which the owner finalizes. */
struct db_statement {
    sqlite3_stmt **stmt;
    const char *sql;
};
MUST_CHECK int db_prepare_all(sqlite3 *db, const struct db_statement *statements, size_t count,
                              struct err *e);

/* > 0: there is a row; 0: done, and the statement is reset. A failure resets it too. */
MUST_CHECK int db_step(sqlite3_stmt *stmt, struct err *e);
/* For statements that give no row. */
MUST_CHECK int db_run(sqlite3_stmt *stmt, struct err *e);
/* The one integer that a statement gives; 0 where it gives NULL or no row. */
MUST_CHECK int db_integer(sqlite3_stmt *stmt, int64_t *ret_value, struct err *e);

/* Binding cannot fail for a parameter that exists but by want of memory, which the step then
 * reports. Texts are borrowed until the statement is reset. */
void db_bind_text(sqlite3_stmt *stmt, int index, const char *text, size_t len);
void db_bind_int(sqlite3_stmt *stmt, int index, int64_t value);
void db_bind_null(sqlite3_stmt *stmt, int index);
/* "" for NULL. Valid until the next step. */
const char *db_column_text(sqlite3_stmt *stmt, int index);
