#pragma once

/* A document with the text that it was made from, shared by those who need it. */

#include "manager/desired/document.h"

struct taken {
    struct document *document;
    char *text;
    size_t len;
    unsigned references;
};

/* Copies the text and takes the document over, in any case. NULL: no memory. */
struct taken *taken_new(struct document *document, const char *text, size_t len);
struct taken *taken_ref(struct taken *taken); /* accepts NULL */
void taken_unref(struct taken *taken);        /* accepts NULL */
DEFINE_CLEANUP(struct taken *, taken_unref);

/* The document that names nothing: what a project is before its first. */
struct taken *taken_empty(const char *project);
