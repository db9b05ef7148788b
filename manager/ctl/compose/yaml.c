#include "manager/ctl/compose/yaml.h"

#include <string.h>
#include <yaml.h>

#include "common/base/str.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

struct anchor {
    const struct anchor *next;
    const char *name;
    const struct node *node;
};

struct reader {
    struct load *load;
    const char *file;
    yaml_parser_t parser;
    const struct anchor *anchors;
    size_t count;   /* of nodes made */
    unsigned depth; /* of the one being read */
};

static int read_node(struct reader *r, const yaml_event_t *event, struct node **ret_node);

static void event_cleanup(yaml_event_t *event)
{
    yaml_event_delete(event);
}

static struct place place_of(const struct reader *r, yaml_mark_t mark)
{
    return (struct place){r->file, mark.line + 1, mark.column + 1};
}

#define FAIL_AT(r, mark, ...)                                                                      \
    load_fail((r)->load, &(struct node){.at = place_of((r), (mark))}, NULL, __VA_ARGS__)

static int next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event) == 1) {
        return 0;
    }
    if (r->parser.error == YAML_MEMORY_ERROR) {
        return load_no_memory(r->load);
    }
    yaml_mark_t mark = r->parser.problem_mark;
    if (r->parser.error == YAML_READER_ERROR) {
        mark = r->parser.mark;
    }
    const char *context = r->parser.context;
    return FAIL_AT(r, mark, "this is no YAML: %s%s%s", context == NULL ? "" : context,
                   context == NULL ? "" : ", ", r->parser.problem);
}

/* Counts against the bound, so that aliases of aliases cannot blow up. */
static int account(struct reader *r, yaml_mark_t mark, size_t nodes)
{
    r->count += nodes;
    if (r->count > NODE_MAX_COUNT) {
        return FAIL_AT(r, mark, "more than %d values, those that aliases repeat counted again",
                       NODE_MAX_COUNT);
    }
    return 0;
}

static int remember(struct reader *r, const yaml_char_t *name, const struct node *node)
{
    if (name == NULL) {
        return 0;
    }
    struct anchor *anchor = arena_alloc(&r->load->arena, sizeof *anchor);
    const char *copy = arena_copy(&r->load->arena, (const char *)name, strlen((const char *)name));
    if (anchor == NULL || copy == NULL) {
        return load_no_memory(r->load);
    }
    *anchor = (struct anchor){r->anchors, copy, node};
    r->anchors = anchor;
    return 0;
}

static int read_alias(struct reader *r, const yaml_event_t *event, struct node **ret_node)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = r->anchors;
    while (anchor != NULL && !str_equal(anchor->name, name)) {
        anchor = anchor->next;
    }
    if (anchor == NULL) {
        return FAIL_AT(r, event->start_mark, "*%s: there is no &%s before this", name, name);
    }
    int result = account(r, event->start_mark, node_size(anchor->node));
    if (result == 0 && r->depth + node_height(anchor->node) > YAML_MAX_DEPTH) {
        result = FAIL_AT(r, event->start_mark, "nested deeper than %d levels", YAML_MAX_DEPTH);
    }
    if (result < 0) {
        return result;
    }
    *ret_node = node_copy(&r->load->arena, anchor->node);
    return *ret_node == NULL ? load_no_memory(r->load) : 0;
}

/* Tags that say what a value is anyway; others, such as !reset, would change what it means. */
static int check_tag(struct reader *r, const yaml_event_t *event, const yaml_char_t *tag,
                     const char *const *known)
{
    if (tag == NULL || str_equal((const char *)tag, "!")) {
        return 0;
    }
    const char *name = (const char *)tag;
    if (str_starts_with(name, TAG_PREFIX)) {
        name += strlen(TAG_PREFIX);
        for (size_t i = 0; known[i] != NULL; i++) {
            if (str_equal(name, known[i])) {
                return 0;
            }
        }
    }
    if (str_equal(name, "!reset") || str_equal(name, "!override")) {
        return FAIL_AT(r, event->start_mark,
                       "the tag %s is not supported: leave the key out of the first file instead",
                       name);
    }
    return FAIL_AT(r, event->start_mark, "the tag %s is not supported here", name);
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct node **ret_node)
{
    static const char *const KNOWN[] = {"str", "int", "float", "bool", "null", NULL};
    const char *text = (const char *)event->data.scalar.value;
    const yaml_char_t *tag = event->data.scalar.tag;
    struct place at = place_of(r, event->start_mark);
    int result = check_tag(r, event, tag, KNOWN);
    if (result < 0) {
        return result;
    }
    if (strlen(text) != event->data.scalar.length) {
        return FAIL_AT(r, event->start_mark, "a string must not have a NUL character in it");
    }
    bool untagged = tag == NULL || tag[0] == '!';
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && untagged;
    if (plain && yaml_is_time(text)) {
        return FAIL_AT(r, event->start_mark, "%.20s is a time in YAML: put it into quotes", text);
    }
    bool is_string = untagged ? !plain : str_equal((const char *)tag, TAG_PREFIX "str");
    *ret_node =
        is_string ? node_string(&r->load->arena, at, text) : yaml_plain(&r->load->arena, at, text);
    return *ret_node == NULL ? load_no_memory(r->load) : 0;
}

static int read_list(struct reader *r, const yaml_event_t *start, struct node **ret_node)
{
    static const char *const KNOWN[] = {"seq", NULL};
    struct node *list = node_new(&r->load->arena, NODE_LIST, place_of(r, start->start_mark));
    int result = check_tag(r, start, start->data.sequence_start.tag, KNOWN);
    if (result < 0 || list == NULL) {
        return result < 0 ? result : load_no_memory(r->load);
    }
    for (;;) {
        AUTO(event) yaml_event_t event = {0};
        struct node *item = NULL;
        result = next_event(r, &event);
        if (result < 0 || event.type == YAML_SEQUENCE_END_EVENT) {
            break;
        }
        result =
            list->count < NODE_MAX_KEYS
                ? read_node(r, &event, &item)
                : FAIL_AT(r, event.start_mark, "more than %d values in one list", NODE_MAX_KEYS);
        if (result < 0) {
            break;
        }
        node_move(list, item);
    }
    *ret_node = list;
    return result;
}

/* `<<`: what the mapping does not say itself, the first of several winning. */
static int merge_into(struct reader *r, struct node *map, struct node *value)
{
    if (value->kind == NODE_LIST) {
        int result = 0;
        for (struct node *item = value->first; item != NULL && result == 0; item = item->next) {
            result = item->kind == NODE_MAP
                         ? merge_into(r, map, item)
                         : load_fail(r->load, item, NULL, "`<<` merges mappings, this is %s",
                                     node_kind_name(item));
        }
        return result;
    }
    if (value->kind != NODE_MAP) {
        return load_fail(r->load, value, NULL,
                         "`<<` merges a mapping or a list of them, this is %s",
                         node_kind_name(value));
    }
    for (struct node *entry = value->first, *next = NULL; entry != NULL; entry = next) {
        next = entry->next;
        if (node_get(map, entry->key) == NULL) {
            node_move(map, entry);
        }
    }
    return 0;
}

static int check_key(struct reader *r, const yaml_event_t *event, const struct node *key,
                     const struct node *map)
{
    if (key->kind != NODE_STRING) {
        return FAIL_AT(r, event->start_mark,
                       "a key must be a string, this is %s: put it into quotes",
                       node_kind_name(key));
    }
    const struct node *present = node_get(map, key->text);
    if (present != NULL) {
        return FAIL_AT(r, event->start_mark, "the key \"%s\" stands here twice, first in line %zu",
                       key->text, present->key_at.line);
    }
    if (map->count >= NODE_MAX_KEYS) {
        return FAIL_AT(r, event->start_mark, "more than %d keys in one mapping", NODE_MAX_KEYS);
    }
    return 0;
}

/* One key with its value. > 0: the mapping's end. */
static int read_entry(struct reader *r, struct node *map, struct node **merge)
{
    AUTO(event) yaml_event_t key_event = {0};
    AUTO(event) yaml_event_t value_event = {0};
    struct node *key = NULL;
    struct node *value = NULL;
    int result = next_event(r, &key_event);
    if (result < 0 || key_event.type == YAML_MAPPING_END_EVENT) {
        return result < 0 ? result : 1;
    }
    result = read_node(r, &key_event, &key);
    if (result == 0) {
        result = check_key(r, &key_event, key, map);
    }
    if (result == 0) {
        result = next_event(r, &value_event);
    }
    if (result == 0) {
        result = read_node(r, &value_event, &value);
    }
    if (result < 0 || key == NULL || value == NULL) {
        return result < 0 ? result : -EINVAL;
    }
    bool is_merge = str_equal(key->text, "<<") && key_event.type == YAML_SCALAR_EVENT &&
                    key_event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!is_merge) {
        value->key_at = key->at;
        return node_put(map, key->text, value);
    }
    if (*merge != NULL) {
        return FAIL_AT(r, key_event.start_mark,
                       "`<<` stands here twice: write one with a list, <<: [*a, *b]");
    }
    *merge = value;
    return 0;
}

static int read_map(struct reader *r, const yaml_event_t *start, struct node **ret_node)
{
    static const char *const KNOWN[] = {"map", NULL};
    struct node *map = node_new(&r->load->arena, NODE_MAP, place_of(r, start->start_mark));
    struct node *merge = NULL;
    int result = check_tag(r, start, start->data.mapping_start.tag, KNOWN);
    if (map == NULL) {
        return load_no_memory(r->load);
    }
    while (result == 0) {
        result = read_entry(r, map, &merge);
    }
    if (result < 0) {
        return result;
    }
    *ret_node = map;
    return merge == NULL ? 0 : merge_into(r, map, merge);
}

static int read_node(struct reader *r, const yaml_event_t *event, struct node **ret_node)
{
    const yaml_char_t *anchor = NULL;
    int result = account(r, event->start_mark, 1);
    if (result < 0) {
        return result;
    }
    if (r->depth >= YAML_MAX_DEPTH) {
        return FAIL_AT(r, event->start_mark, "nested deeper than %d levels", YAML_MAX_DEPTH);
    }
    r->depth++;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        result = read_alias(r, event, ret_node);
        break;
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        result = read_scalar(r, event, ret_node);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        result = read_list(r, event, ret_node);
        break;
    default:
        anchor = event->data.mapping_start.anchor;
        result = read_map(r, event, ret_node);
        break;
    }
    r->depth--;
    return result < 0 ? result : remember(r, anchor, *ret_node);
}

static int read_documents(struct reader *r, struct node *documents)
{
    for (;;) {
        AUTO(event) yaml_event_t event = {0};
        struct node *document = NULL;
        int result = next_event(r, &event);
        if (result < 0 || event.type == YAML_STREAM_END_EVENT) {
            return result;
        }
        if (event.type == YAML_DOCUMENT_START_EVENT) {
            r->anchors = NULL;
        } else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_END_EVENT) {
            result = read_node(r, &event, &document);
            if (result < 0) {
                return result;
            }
            node_move(documents, document);
        }
    }
}

int yaml_parse(struct load *load, const char *file, const char *text, size_t len,
               struct node **ret_documents)
{
    struct reader reader = {.load = load, .file = file};
    struct node *documents = node_new(&load->arena, NODE_LIST, (struct place){file, 1, 1});
    if (documents == NULL || yaml_parser_initialize(&reader.parser) == 0) {
        return load_no_memory(load);
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
    int result = read_documents(&reader, documents);
    yaml_parser_delete(&reader.parser);
    if (result == 0) {
        *ret_documents = documents;
    }
    return result;
}
