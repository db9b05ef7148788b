#include "receiver/journal/reader.h"

#include <string.h>

/* No deadline: it reads the whole file. */
int journal_check(struct journal *journal, struct journal_reader *reader, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = db_prepare(reader->db, "PRAGMA quick_check(1)", &stmt, e);
    if (r == 0) {
        r = db_step(stmt, e);
    }
    if (r == -DB_DAMAGED) {
        journal_report_check(journal, e->msg);
        return 0;
    }
    if (r <= 0) {
        return r;
    }
    const char *found = db_column_text(stmt, 0);
    journal_report_check(journal, strcmp(found, "ok") == 0 ? "" : found);
    sqlite3_reset(stmt);
    return 0;
}
