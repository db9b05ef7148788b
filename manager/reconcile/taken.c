#include "manager/reconcile/taken.h"

#include <stdio.h>
#include <string.h>

struct taken *taken_new(struct document *document, const char *text, size_t len)
{
    struct taken *taken = calloc(1, sizeof(*taken));
    char *copy = malloc(len + 1);

    if (!taken || !copy) {
        free(taken);
        free(copy);
        document_free(document);
        return NULL;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    *taken = (struct taken){.document = document, .text = copy, .len = len, .references = 1};
    return taken;
}

struct taken *taken_ref(struct taken *taken)
{
    if (taken)
        taken->references++;
    return taken;
}

void taken_unref(struct taken *taken)
{
    if (!taken || --taken->references > 0)
        return;
    document_free(taken->document);
    free(taken->text);
    free(taken);
}

struct taken *taken_empty(const char *project)
{
    static const struct safety nothing = {0};
    struct document *document = NULL;
    struct rejection rejection;
    char text[256];

    int len = snprintf(text, sizeof(text),
                       "{\"apiVersion\":\"" DOCUMENT_API_VERSION "\",\"revision\":1,"
                       "\"project\":\"%s\",\"policy\":{\"allowEmpty\":true},\"services\":{}}",
                       project);
    if (document_parse(text, (size_t)len, &nothing, &document, &rejection) < 0)
        return NULL;
    return taken_new(document, text, (size_t)len);
}
