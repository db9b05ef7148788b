#include "receiver/ingest/json_compact.h"

#include <string.h>

/* From an opening quote to behind the closing one. */
static size_t skip_string(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at + 1;
}

size_t json_compact(char *out, const char *text, size_t len)
{
    size_t written = 0;

    for (size_t at = 0; at < len;) {
        size_t start = at;

        if (text[at] == '"') {
            at = skip_string(text, at);
            memcpy(out + written, text + start, at - start);
            written += at - start;
        } else {
            if (text[at] != ' ' && text[at] != '\t' && text[at] != '\n' && text[at] != '\r')
                out[written++] = text[at];
            at++;
        }
    }
    return written;
}

/* From a value's first byte to behind its last, in compact text. */
static size_t skip_value(const char *text, size_t at)
{
    unsigned depth = 0;

    do {
        if (text[at] == '"') {
            at = skip_string(text, at);
            continue;
        }
        if (text[at] == '{' || text[at] == '[')
            depth++;
        else if (text[at] == '}' || text[at] == ']')
            depth--;
        at++;
    } while (depth > 0 || (text[at] != ',' && text[at] != '}' && text[at] != ']'));
    return at;
}

size_t json_drop_members(char *text, const cJSON *object, bool (*is_dropped)(const char *name),
                         const char *wanted, struct json_span *ret_value)
{
    size_t in = 1, out = 1; /* behind the '{' */

    *ret_value = (struct json_span){0, 0};
    for (const cJSON *member = object->child; member; member = member->next) {
        size_t value = skip_string(text, in) + 1; /* behind the ':' */
        size_t end = skip_value(text, value);

        if (!is_dropped(member->string)) {
            if (out > 1)
                text[out++] = ',';
            if (out != in)
                memmove(text + out, text + in, end - in);
            if (strcmp(member->string, wanted) == 0)
                *ret_value = (struct json_span){out + value - in, end - value};
            out += end - in;
        }
        in = end + 1; /* behind the ',' */
    }
    text[out++] = '}';
    return out;
}
