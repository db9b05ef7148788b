#pragma once

/* The document that is to be published: from compose files, or from a document as it stands, with
 * the policy of the flags. */

#include <cjson/cJSON.h>

#include "manager/ctl/call.h"
#include "manager/desired/document.h"

/*
 * The operands and --file name the files; without any, compose looks for its usual ones. The
 * document has a new id and no revision but that of --revision (1 where none is given). Warnings of
 * compose go to stderr. -EINVAL, -ENOENT with a sentence that begins with the file.
 */
MUST_CHECK int source_load(const struct call *call, cJSON **ret_document, struct err *e);

const char *source_project(const cJSON *document);
MUST_CHECK int source_set_revision(cJSON *document, int64_t revision, struct err *e);

/* As a node would check it, but for what that one allows: -EINVAL with reason, place and sentence.
 */
MUST_CHECK int source_check(const cJSON *document, struct rejection *rejection);
