#include "receiver/api/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

/* A request's own parameters, three bytes for each of theirs at worst. */
#define URL_MAX_BYTES ((size_t)64 << 10)

void page_append_encoded(struct buf *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~:/";
    while (*text != '\0') {
        size_t plain = strspn(text, unreserved);
        buf_append(out, text, plain);
        text += plain;
        if (*text != '\0')
            buf_appendf(out, "%%%02X", (unsigned)(unsigned char)*text++);
    }
}

static void append_parameter(void *context, const char *name, const char *value)
{
    struct page *page = context;
    if (str_equal(name, page->key) || str_equal(name, "limit"))
        return;
    page_append_encoded(&page->url, name);
    buf_append_char(&page->url, '=');
    page_append_encoded(&page->url, value);
    buf_append_char(&page->url, '&');
}

void page_init(struct page *page, struct http_request *request, const char *key, unsigned limit,
               size_t unread_bytes)
{
    *page = (struct page){
        .url = BUF_INIT(URL_MAX_BYTES),
        .key = key,
        .limit = limit,
        .max_bytes = unread_bytes < PAGE_SHORT_BYTES ? PAGE_SOFT_BYTES : PAGE_SMALL_BYTES,
    };
    buf_appendf(&page->url, "%s?", http_request_path(request));
    http_request_each_query(request, append_parameter, page);
}

void page_deinit(struct page *page)
{
    buf_deinit(&page->url);
}

bool page_begin_item(struct page *page, struct buf *body, size_t len)
{
    page->is_full |= page->items > 0 && body->len + len > page->max_bytes;
    if (page->is_full)
        return false;
    if (page->items++ > 0)
        buf_append_char(body, ',');
    return true;
}

void page_set_next(struct page *page, const char *position)
{
    buf_appendf(&page->url, "%s=", page->key);
    page_append_encoded(&page->url, position);
    buf_appendf(&page->url, "&limit=%u", page->limit);
    page->has_next = true;
}

void page_set_next_id(struct page *page, int64_t id)
{
    char position[24];
    snprintf(position, sizeof(position), "%" PRId64, id);
    page_set_next(page, position);
}

void page_append_next(const struct page *page, struct buf *body)
{
    buf_append_str(body, "\"next\":");
    buf_append_json(body, page->has_next ? page->url.data : NULL);
    /* No `null` for want of memory: the reader would take this page for the last. */
    body->failed |= page->has_next && buf_failed(&page->url);
}

bool page_format_link(const struct page *page, char link[static PAGE_LINK_SIZE])
{
    if (!page->has_next || buf_failed(&page->url))
        return false;
    int len = snprintf(link, PAGE_LINK_SIZE, "<%s>; rel=\"next\"", page->url.data);
    return len > 0 && len < PAGE_LINK_SIZE;
}
