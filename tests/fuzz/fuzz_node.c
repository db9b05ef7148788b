/*
 * A first byte for the kind, then a payload of the node press-7. What is taken must be one line of
 * JSON that is taken again and is the same then: so it is read back after a restart.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "receiver/nodes/presence.h"
#include "receiver/nodes/progress.h"
#include "receiver/nodes/report.h"

#define LEVEL "press-7"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static int parse_progress(const char *level, const char *payload, size_t size,
                          struct node_text **ret_text, struct err *e)
{
    AUTO(progress_free) struct progress *progress = NULL;
    int r = progress_parse(level, payload, size, &progress, e);
    if (r == 0)
        *ret_text = TAKE(progress->text);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int (*const parsers[])(const char *level, const char *payload, size_t size,
                                  struct node_text **ret_text,
                                  struct err *e) = {report_parse, presence_parse, parse_progress};
    AUTO(node_text_free) struct node_text *text = NULL;
    AUTO(node_text_free) struct node_text *again = NULL;
    struct err e = {0};
    if (size == 0)
        return 0;
    int (*parse)(const char *, const char *, size_t, struct node_text **, struct err *) =
        parsers[bytes[0] % ARRAY_SIZE(parsers)];
    if (parse(LEVEL, (const char *)bytes + 1, size - 1, &text, &e) < 0) {
        require(e.msg[0] != '\0' && str_is_utf8(e.msg, strlen(e.msg), NULL));
        return 0;
    }
    require(strlen(text->json) == text->len && !strpbrk(text->json, "\r\n"));
    require(str_equal(text->name, LEVEL) && text->session >= 0);
    require(parse(LEVEL, text->json, text->len, &again, &e) == 0);
    require(text->digest == again->digest && text->session == again->session &&
            text->said_us == again->said_us && text->is_online == again->is_online);
    require(str_equal(text->json, again->json));
    if (parse == report_parse)
        (void)report_is_settled(text, "line3");
    return 0;
}
