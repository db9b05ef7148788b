#include "receiver/journal/quarantine.h"

int quarantine_init(struct quarantine *quarantine, sqlite3 *db, int64_t max_bytes, struct err *e)
{
    *quarantine = (struct quarantine){.max_bytes = max_bytes};
    const struct db_statement statements[] = {
        {&quarantine->add,
         "INSERT INTO quarantine(recorded_us, topic, reason, payload) VALUES(?1, ?2, ?3, ?4)"},
        {&quarantine->oldest, "SELECT id, length(payload) FROM quarantine ORDER BY id LIMIT 1"},
        {&quarantine->remove, "DELETE FROM quarantine WHERE id = ?1"},
    };
    return db_prepare_all(db, statements, ARRAY_SIZE(statements), e);
}

void quarantine_deinit(struct quarantine *quarantine)
{
    sqlite3_finalize(quarantine->add);
    sqlite3_finalize(quarantine->oldest);
    sqlite3_finalize(quarantine->remove);
    *quarantine = (struct quarantine){0};
}

/* > 0: removed; 0: there is none. */
static int remove_oldest(struct quarantine *quarantine, struct totals *totals, struct err *e)
{
    int r = db_step(quarantine->oldest, e);
    if (r <= 0) {
        return r;
    }
    int64_t id = sqlite3_column_int64(quarantine->oldest, 0);
    uint64_t bytes = (uint64_t)sqlite3_column_int64(quarantine->oldest, 1);
    sqlite3_reset(quarantine->oldest);
    db_bind_int(quarantine->remove, 1, id);
    r = db_run(quarantine->remove, e);
    if (r < 0) {
        return r;
    }
    totals->quarantined--;
    totals->quarantine_bytes -= bytes;
    return 1;
}

int quarantine_add(struct quarantine *quarantine, struct totals *totals, const struct batch *batch,
                   const struct batch_entry *entry, struct err *e)
{
    sqlite3_stmt *add = quarantine->add;
    db_bind_int(add, 1, entry->recorded_us);
    db_bind_text(add, 2, batch_in(batch, entry->topic), entry->topic.len);
    db_bind_text(add, 3, batch_in(batch, entry->reason), entry->reason.len);
    (void)sqlite3_bind_blob64(add, 4, batch_in(batch, entry->json), entry->json.len, SQLITE_STATIC);
    int r = db_run(add, e);
    if (r < 0) {
        return r;
    }
    totals->quarantined++;
    totals->quarantine_bytes += entry->json.len;
    r = 1;
    while (r > 0 && (totals->quarantined > QUARANTINE_ROWS_MAX ||
                     totals->quarantine_bytes > (uint64_t)quarantine->max_bytes)) {
        r = remove_oldest(quarantine, totals, e);
    }
    return r < 0 ? r : 0;
}
