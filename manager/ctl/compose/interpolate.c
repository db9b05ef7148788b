#include "manager/ctl/compose/interpolate.h"

#include <ctype.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"

struct expansion {
    struct load *load;
    const struct lookup *lookup;
};

static int expand(const struct expansion *x, const char *text, size_t len, unsigned depth,
                  struct buf *out);

static size_t name_length(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && (isalpha((unsigned char)text[n]) || text[n] == '_' ||
                       (n > 0 && isdigit((unsigned char)text[n])))) {
        n++;
    }
    return n;
}

/* Bytes of "{...}" with its braces balanced; 0 if it is not closed. */
static size_t braced_length(const char *text, size_t len)
{
    unsigned open = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '{') {
            open++;
        } else if (text[i] == '}' && --open == 0) {
            return i + 1;
        }
    }
    return 0;
}

static int append_variable(const struct expansion *x, const char *name, struct buf *out)
{
    const char *value = lookup_find(x->lookup, name);
    if (value == NULL) {
        return load_warn(x->load, "the variable %s is not set: it is taken as empty", name);
    }
    buf_append_str(out, value);
    return 0;
}

/* `operator` is of "-?+", `colon` makes an empty value the same as none. */
static int append_conditional(const struct expansion *x, const char *name, bool colon,
                              char operator, const char * word, size_t word_len, unsigned depth,
                              struct buf *out)
{
    const char *value = lookup_find(x->lookup, name);
    bool set = value != NULL && (!colon || value[0] != '\0');
    bool use_word = operator== '+' ? set : !set;
    if (!use_word) {
        buf_append_str(out, value == NULL ? "" : value);
        return 0;
    }
    if (operator!= '?') {
        return expand(x, word, word_len, depth + 1, out);
    }
    AUTO(buf_deinit) struct buf message = BUF_INIT(INTERPOLATE_MAX_BYTES);
    int result = expand(x, word, word_len, depth + 1, &message);
    if (result < 0) {
        return result;
    }
    return FAIL(x->load->e, EINVAL, "the variable %s must be set%s%s%s", name,
                colon ? " and not empty" : "", message.len > 0 ? ": " : "",
                message.data == NULL ? "" : message.data);
}

/* What stands between the braces. */
static int append_braced(const struct expansion *x, const char *text, size_t len, unsigned depth,
                         struct buf *out)
{
    char name[256];
    size_t name_len = name_length(text, len);
    size_t at = name_len;
    bool colon = at < len && text[at] == ':';
    at += colon ? 1 : 0;
    bool has_operator = at < len && strchr("-?+", text[at]) != NULL;
    if (name_len == 0 || (at < len && !has_operator) || (at == len && colon) ||
        !str_copy_n(name, sizeof name, text, name_len)) {
        return FAIL(x->load->e, EINVAL,
                    "${%.*s} is no variable: write ${NAME}, ${NAME:-default}, ${NAME:?message} or "
                    "${NAME:+instead}, and $$ for a $",
                    len > 60 ? 60 : (int)len, text);
    }
    if (!has_operator) {
        return append_variable(x, name, out);
    }
    return append_conditional(x, name, colon, text[at], text + at + 1, len - at - 1, depth, out);
}

/* What begins with the $ at `text`; `*ret_len` is what of it was used. */
static int append_dollar(const struct expansion *x, const char *text, size_t len, unsigned depth,
                         struct buf *out, size_t *ret_len)
{
    char name[256];
    size_t name_len = name_length(text + 1, len - 1);
    *ret_len = 1;
    if (len > 1 && text[1] == '$') {
        *ret_len = 2;
        buf_append_char(out, '$');
        return 0;
    }
    if (len > 1 && text[1] == '{') {
        size_t braced = braced_length(text + 1, len - 1);
        if (braced == 0) {
            return FAIL(x->load->e, EINVAL, "\"%.60s\" has a ${ without its }; write $$ for a $",
                        text);
        }
        *ret_len = 1 + braced;
        return append_braced(x, text + 2, braced - 2, depth, out);
    }
    if (name_len == 0 || !str_copy_n(name, sizeof name, text + 1, name_len)) {
        buf_append_char(out, '$');
        return 0;
    }
    *ret_len = 1 + name_len;
    return append_variable(x, name, out);
}

static int expand(const struct expansion *x, const char *text, size_t len, unsigned depth,
                  struct buf *out)
{
    if (depth > INTERPOLATE_MAX_DEPTH) {
        return FAIL(x->load->e, EINVAL, "variables nested deeper than %d levels",
                    INTERPOLATE_MAX_DEPTH);
    }
    for (size_t i = 0, used = 0; i < len; i += used) {
        const char *dollar = memchr(text + i, '$', len - i);
        size_t plain = dollar == NULL ? len - i : (size_t)(dollar - (text + i));
        buf_append(out, text + i, plain);
        i += plain;
        used = 0;
        int result = i < len ? append_dollar(x, text + i, len - i, depth, out, &used) : 0;
        if (result < 0) {
            return result;
        }
        if (buf_failed(out)) {
            return FAIL(x->load->e, EINVAL, "with its variables a text is longer than %d bytes",
                        INTERPOLATE_MAX_BYTES);
        }
    }
    return 0;
}

int interpolate(struct load *load, const struct lookup *lookup, const char *text,
                const char **ret_text)
{
    if (strchr(text, '$') == NULL) {
        *ret_text = text;
        return 0;
    }
    AUTO(buf_deinit) struct buf out = BUF_INIT(INTERPOLATE_MAX_BYTES);
    struct expansion x = {load, lookup};
    int result = expand(&x, text, strlen(text), 0, &out);
    if (result < 0) {
        return result;
    }
    const char *copy = arena_copy(&load->arena, out.data == NULL ? "" : out.data, out.len);
    if (copy == NULL) {
        return load_no_memory(load);
    }
    *ret_text = copy;
    return 0;
}

int interpolate_node(struct load *load, struct node *node, const struct step *step)
{
    struct lookup lookup = {{&load->variables}};
    if (node->kind == NODE_STRING) {
        struct err why = {0};
        struct err *e = load->e;
        load->e = &why;
        int result = interpolate(load, &lookup, node->text, &node->text);
        load->e = e;
        return result == -EINVAL ? load_fail(load, node, step, "%s", why.msg) : result;
    }
    size_t index = 0;
    int result = 0;
    for (struct node *child = node->first; child != NULL && result == 0; child = child->next) {
        result = interpolate_node(load, child, STEP(step, child, index++));
    }
    return result;
}
