#pragma once

#include "receiver/journal/batch.h"
#include "receiver/journal/writer.h"

/* Within a transaction: stores every entry of the batch and sets its outcome, which holds only if
 * the transaction is committed. */
MUST_CHECK int append_batch(struct writer *writer, struct batch *batch, struct err *e);

/* Takes the outcomes back after a failure. */
void append_undo(struct batch *batch);
