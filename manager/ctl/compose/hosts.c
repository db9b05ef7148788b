#include <string.h>

#include "manager/ctl/compose/scalar.h"

static int append_host(struct load *load, const struct node *at, const char *host, size_t host_len,
                       const char *address, size_t len, struct node *list)
{
    if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    struct node *item =
        node_stringf(&load->arena, at->at, "%.*s=%.*s", (int)host_len, host, (int)len, address);
    return node_append(list, item) < 0 ? load_no_memory(load) : 0;
}

/* "host=address,address", or with a colon. */
static int take_line(struct load *load, const struct node *line, const struct step *step,
                     struct node *list)
{
    if (line->kind != NODE_STRING) {
        return load_fail(load, line, step, "must be a string, this is %s", node_kind_name(line));
    }
    const char *separator = strchr(line->text, '=');
    if (separator == NULL) {
        separator = strchr(line->text, ':');
    }
    if (separator == NULL || separator == line->text ||
        memchr(line->text, ':', (size_t)(separator - line->text)) != NULL) {
        return load_fail(load, line, step, "must be HOST=ADDRESS, it is \"%.60s\"", line->text);
    }
    int result = 0;
    const char *address = separator + 1;
    for (bool more = true; more && result == 0;) {
        size_t len = strcspn(address, ",");
        more = address[len] == ',';
        result = append_host(load, line, line->text, (size_t)(separator - line->text), address, len,
                             list);
        address += len + 1;
    }
    return result;
}

/* One entry of a mapping: an address or a list of them. */
static int take_entry(struct load *load, const struct node *entry, const struct step *step,
                      struct node *list)
{
    if (entry->key[0] == '\0' || strpbrk(entry->key, ":=") != NULL) {
        return load_fail(load, entry, step, "a host's name has no : and no = in it");
    }
    int result = 0;
    const struct node *first = entry->kind == NODE_LIST ? entry->first : entry;
    for (const struct node *item = first; item != NULL && result == 0; item = item->next) {
        result = append_host(load, item, entry->key, strlen(entry->key), item->text,
                             strlen(item->text), list);
        if (entry->kind != NODE_LIST) {
            break;
        }
    }
    return result;
}

static int finish_hosts(struct load *load, struct node *node, const struct step *step)
{
    struct node *list = node_new(&load->arena, NODE_LIST, node->at);
    if (list == NULL) {
        return load_no_memory(load);
    }
    size_t index = 0;
    int result = 0;
    for (struct node *child = node->first; child != NULL && result == 0; child = child->next) {
        const struct step *way = STEP(step, child, index++);
        result = child->key == NULL ? take_line(load, child, way, list)
                                    : take_entry(load, child, way, list);
    }
    node_become(node, list);
    if (result < 0) {
        return result;
    }
    return node_sort(&load->arena, node) < 0 ? load_no_memory(load) : 0;
}

static const struct shape HOST = {.what = "an address or a list of them",
                                  .kinds = NODE_STRING | NODE_LIST,
                                  .item = &SHAPE_STRING};
const struct shape SHAPE_HOSTS = {.what = "a mapping or a list of HOST=ADDRESS",
                                  .kinds = NODE_MAP | NODE_LIST,
                                  .flags = SHAPE_UNIQUE,
                                  .item = &HOST,
                                  .finish = finish_hosts};
