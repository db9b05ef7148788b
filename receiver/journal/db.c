#include "receiver/journal/db.h"

#include <string.h>

/* What SQLite calls an input/output error is, by the system's errno, often something that passes.
 */
static int system_code(int system_errno)
{
    switch (system_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ENOSPC;
    case EROFS:
    case EACCES:
    case EPERM:
        return EROFS;
    case ENOMEM:
        return ENOMEM;
    default:
        return EIO;
    }
}

static int file_errno(sqlite3_file *file)
{
    int last = 0;
    if (file && file->pMethods) {
        (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last);
    }
    return last;
}

/*
 * sqlite3_system_errno() knows nothing of what failed within a COMMIT (seen with 3.40), where most
 * writes are; the files remember.
 */
static int system_errno_of(sqlite3 *db)
{
    sqlite3_file *log = NULL, *file = NULL;
    int last = sqlite3_system_errno(db);
    if (last != 0) {
        return last;
    }
    (void)sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);
    (void)sqlite3_file_control(db, NULL, SQLITE_FCNTL_FILE_POINTER, &file);
    last = file_errno(log);
    return last != 0 ? last : file_errno(file);
}

static int code_of(sqlite3 *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return EROFS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return DB_DAMAGED;
    case SQLITE_NOMEM:
        return ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EBUSY;
    case SQLITE_INTERRUPT:
        return ETIMEDOUT;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return system_code(system_errno_of(db));
    default:
        return EIO;
    }
}

int db_fail(sqlite3 *db, int rc, struct err *e)
{
    int code = code_of(db, rc);
    int system_errno = system_errno_of(db);
    bool by_system = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
    if (by_system && system_errno != 0) {
        return FAIL(e, code, "%s (%s)", sqlite3_errmsg(db), strerror(system_errno));
    }
    return FAIL(e, code, "%s", sqlite3_errmsg(db));
}

int db_exec(sqlite3 *db, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db_fail(db, rc, e);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt, struct err *e)
{
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_stmt, NULL);
    return rc == SQLITE_OK ? 0 : db_fail(db, rc, e);
}

int db_prepare_all(sqlite3 *db, const struct db_statement *statements, size_t count, struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        int r = db_prepare(db, statements[i].sql, statements[i].stmt, e);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int db_step(sqlite3_stmt *stmt, struct err *e)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        return 1;
    }
    int r = rc == SQLITE_DONE ? 0 : db_fail(sqlite3_db_handle(stmt), rc, e);
    sqlite3_reset(stmt);
    return r;
}

int db_run(sqlite3_stmt *stmt, struct err *e)
{
    int r = db_step(stmt, e);
    if (r > 0) {
        sqlite3_reset(stmt);
    }
    return r < 0 ? r : 0;
}

int db_integer(sqlite3_stmt *stmt, int64_t *ret_value, struct err *e)
{
    int r = db_step(stmt, e);
    if (r < 0) {
        return r;
    }
    *ret_value = 0;
    if (r > 0) {
        *ret_value = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    return 0;
}

void db_bind_text(sqlite3_stmt *stmt, int index, const char *text, size_t len)
{
    (void)sqlite3_bind_text64(stmt, index, text, len, SQLITE_STATIC, SQLITE_UTF8);
}

void db_bind_int(sqlite3_stmt *stmt, int index, int64_t value)
{
    (void)sqlite3_bind_int64(stmt, index, value);
}

void db_bind_null(sqlite3_stmt *stmt, int index)
{
    (void)sqlite3_bind_null(stmt, index);
}

const char *db_column_text(sqlite3_stmt *stmt, int index)
{
    const unsigned char *text = sqlite3_column_text(stmt, index);
    return text ? (const char *)text : "";
}
