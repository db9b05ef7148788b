#include "manager/ctl/compose/words.h"

#include <errno.h>
#include <string.h>

#include "common/base/buf.h"

#define WORD_MAX_BYTES (1 << 20)

struct splitter {
    struct buf word;
    bool in_word; /* even if it is empty, as "" is */
    bool escaped; /* by a backslash before this */
    char quote;   /* the one that is open: ' " ` or ( of $(; else NUL */
};

/* True for what is dropped, being a quote. */
static bool take_quote(struct splitter *s, char c)
{
    if (s->quote == c) {
        s->quote = '\0';
    } else if (s->quote == '\0') {
        s->quote = c;
    } else {
        return false;
    }
    s->in_word = true;
    return c != '`';
}

/* $( and ) keep a command together, as it stands. */
static int take_parenthesis(struct splitter *s, char c)
{
    bool quoted = s->quote != '\0' && s->quote != '(';
    if (quoted) {
        return 0;
    }
    bool after_dollar = s->word.len > 0 && s->word.data[s->word.len - 1] == '$';
    bool opens = c == '(' && s->quote == '\0' && after_dollar;
    bool closes = c == ')' && s->quote == '(';
    s->quote = opens ? '(' : '\0';
    return opens || closes ? 0 : -EINVAL;
}

static int end_word(struct splitter *s, struct arena *arena, struct node *words)
{
    if (!s->in_word) {
        return 0;
    }
    s->in_word = false;
    int result = buf_failed(&s->word)
                     ? -ENOMEM
                     : node_append(words, node_string(arena, words->at,
                                                      s->word.data == NULL ? "" : s->word.data));
    buf_reset(&s->word);
    return result;
}

static int take_char(struct splitter *s, char c)
{
    int result = 0;
    if (s->escaped) {
        s->escaped = false;
    } else if (c == '\\' && s->quote != '\'') {
        s->escaped = true;
        return 0;
    } else if (c == '\'' || c == '"' || c == '`') {
        if (take_quote(s, c)) {
            return 0;
        }
    } else if (c == '(' || c == ')') {
        result = take_parenthesis(s, c);
    }
    s->in_word = true;
    buf_append_char(&s->word, c);
    return result;
}

static int split(struct splitter *s, struct arena *arena, const char **line, struct node *words)
{
    int result = 0;
    const char *c = *line;
    for (; *c != '\0' && result == 0; c++) {
        bool bare = s->quote == '\0' && !s->escaped;
        if (bare && strchr(";&|<>", *c) != NULL) {
            /* A digit before > is the number of a descriptor. */
            s->in_word = s->in_word && !(*c == '>' && s->word.len > 0 && s->word.data[0] >= '0' &&
                                         s->word.data[0] <= '9');
            break;
        }
        result =
            bare && strchr(" \t\r\n", *c) != NULL ? end_word(s, arena, words) : take_char(s, *c);
    }
    if (result == 0 && (s->quote != '\0' || s->escaped)) {
        result = -EINVAL;
    }
    *line = c;
    return result == 0 ? end_word(s, arena, words) : result;
}

int words_split(struct arena *arena, struct place at, const char *line, struct node **ret_words,
                const char **ret_dropped)
{
    struct splitter s = {.word = BUF_INIT(WORD_MAX_BYTES)};
    struct node *words = node_new(arena, NODE_LIST, at);
    int result = words == NULL ? -ENOMEM : split(&s, arena, &line, words);
    buf_deinit(&s.word);
    if (result == 0) {
        *ret_words = words;
        *ret_dropped = line;
    }
    return result;
}
