#include "receiver/journal/nodes.h"

#include <string.h>

#include "receiver/journal/reader.h"
#include "receiver/journal/transaction.h"

#define PUT                                                                                        \
    "INSERT OR REPLACE INTO nodes(node, report, report_us, presence, presence_us)"                 \
    " VALUES(?1, ?2, ?3, ?4, ?5)"
#define READ "SELECT node, report, report_us, presence, presence_us FROM nodes ORDER BY node"

static void bind_text(sqlite3_stmt *stmt, int index, const struct journal_node_text *text)
{
    if (text->text) {
        db_bind_text(stmt, index, text->text, text->len);
        db_bind_int(stmt, index + 1, text->at_us);
    } else {
        db_bind_null(stmt, index);
        db_bind_null(stmt, index + 1);
    }
}

static int put_all(sqlite3 *db, const struct journal_node *nodes, size_t count, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *put = NULL;
    AUTO(sqlite3_finalize) sqlite3_stmt *remove = NULL;
    int r = db_prepare(db, PUT, &put, e);
    if (r == 0) {
        r = db_prepare(db, "DELETE FROM nodes WHERE node = ?1", &remove, e);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct journal_node *node = &nodes[i];
        sqlite3_stmt *stmt = node->report.text || node->presence.text ? put : remove;
        db_bind_text(stmt, 1, node->node, strlen(node->node));
        if (stmt == put) {
            bind_text(stmt, 2, &node->report);
            bind_text(stmt, 4, &node->presence);
        }
        r = db_run(stmt, e);
    }
    return r;
}

int journal_put_nodes(struct journal *journal, const struct journal_node *nodes, size_t count,
                      struct err *e)
{
    struct err local = {0};
    e = e ? e : &local;
    int r = journal_begin(journal, e);
    if (r == 0) {
        r = put_all(journal_writer(journal)->db, nodes, count, e);
    }
    return journal_finish(journal, r, e);
}

static struct journal_node_text text_at(sqlite3_stmt *stmt, int index)
{
    if (sqlite3_column_type(stmt, index) == SQLITE_NULL) {
        return (struct journal_node_text){0};
    }
    return (struct journal_node_text){
        .text = db_column_text(stmt, index),
        .len = (size_t)sqlite3_column_bytes(stmt, index),
        .at_us = sqlite3_column_int64(stmt, index + 1),
    };
}

int journal_read_nodes(struct journal_reader *reader,
                       int (*each)(void *context, const struct journal_node *node), void *context,
                       struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = reader_begin(reader, e);
    if (r < 0) {
        return r;
    }
    r = db_prepare(reader->db, READ, &stmt, e);
    r = r < 0 ? r : 1;
    while (r > 0 && (r = db_step(stmt, e)) > 0) {
        const struct journal_node node = {db_column_text(stmt, 0), text_at(stmt, 1),
                                          text_at(stmt, 3)};
        int given = each(context, &node);
        r = given < 0 ? given : 1;
    }
    sqlite3_reset(stmt);
    reader_end(reader);
    return r;
}
