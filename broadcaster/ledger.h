#pragma once

/*
 * --ledger: a line `<source> <id>` for each message at its first acknowledgement, for tests that
 * count. Lines collect and are written by one write() to a file opened for appending, so that
 * several processes may share it; a disk that is full loses no line while memory lasts.
 */

#include "common/base/error.h"

struct ledger;

MUST_CHECK int ledger_open(const char *path, struct ledger **ret_ledger, struct err *e);
/* Flushes. Accepts NULL, as all below: no ledger is kept. */
void ledger_free(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger *, ledger_free);

void ledger_add(struct ledger *ledger, const char *source, const char *id);
void ledger_flush(struct ledger *ledger);
