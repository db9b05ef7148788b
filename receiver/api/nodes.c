/* GET /api/v1/nodes, /api/v1/nodes/{node} and /api/v1/nodes/stream */

#include <inttypes.h>

#include "common/base/str.h"
#include "common/http/problem.h"
#include "receiver/api/etag.h"
#include "receiver/api/page.h"
#include "receiver/api/params.h"
#include "receiver/api/routes.h"
#include "receiver/api/state.h"

#define NODES_LIMIT_DEFAULT 100
#define NODES_LIMIT_MAX     1000
#define ETAG_SIZE           (CURSOR_TEXT_SIZE + 2)

static const struct problem not_found = {.status = 404, .code = "not-found", .title = "Not found"};
static const struct problem no_journal = {.status = 503,
                                          .code = "journal-unavailable",
                                          .title = "The nodes are not known yet",
                                          .retry_after_s = "5"};
static const struct problem no_memory = {
    .status = 503, .code = "busy", .title = "Too busy", .retry_after_s = "1"};

struct nodes_params {
    char after[TOPIC_LEVEL_SIZE]; /* "": from the first */
    int64_t limit;
};

struct nodes_page {
    struct page page;
    struct buf body;
    char last[TOPIC_LEVEL_SIZE];
};

static int set_after(void *target, const char *value, struct err *e)
{
    struct nodes_params *params = target;
    if (!topic_level_is_valid(value) || !str_copy(params->after, sizeof(params->after), value))
        return FAIL(e, EINVAL, "'after' must be a node's level: 1 to %d of A-Za-z0-9_-",
                    TOPIC_LEVEL_SIZE - 1);
    return 0;
}

static int set_limit(void *target, const char *value, struct err *e)
{
    struct nodes_params *params = target;
    return param_parse_int("limit", value, 1, NODES_LIMIT_MAX, &params->limit, e);
}

static const struct param known[] = {{"limit", set_limit}, {"after", set_after}};

/* False when the request was answered. */
static bool check_open(struct api *api, struct http_request *request)
{
    if (registry_is_open(api->settings.registry))
        return true;
    http_problem(request, &no_journal, "the journal, which keeps the nodes, is not open yet");
    return false;
}

static void format_etag(struct cursor version, char etag[static ETAG_SIZE])
{
    char text[CURSOR_TEXT_SIZE];
    cursor_format(version, text);
    snprintf(etag, ETAG_SIZE, "\"%s\"", text);
}

/* True where the client has this version already, and was told so. */
static bool is_known(struct http_request *request, const char *etag)
{
    const struct http_header headers[] = {
        {"ETag", etag}, {"Cache-Control", "no-cache"}, {NULL, NULL}};
    if (!etag_matches(http_request_header(request, "If-None-Match"), etag))
        return false;
    http_respond_static(request, 304, "application/json", "", 0, headers);
    return true;
}

static void answer(struct http_request *request, const char *etag, const char *link,
                   struct buf *body)
{
    const struct http_header headers[] = {
        {"ETag", etag}, {"Cache-Control", "no-cache"}, {link ? "Link" : NULL, link}, {NULL, NULL}};
    http_respond_buf(request, 200, "application/json", body, headers);
}

/* ---- all of them ---- */

static int append_node(void *context, const struct registry_item *item)
{
    struct nodes_page *p = context;
    p->page.is_full |= p->page.items == p->page.limit;
    if (p->page.is_full || !page_begin_item(&p->page, &p->body, item->len))
        return 1;
    buf_append(&p->body, item->json, item->len);
    if (!str_copy(p->last, sizeof(p->last), item->level))
        p->body.failed = true;
    return 0;
}

static void answer_page(struct api *api, struct http_request *request, const char *after,
                        const char *etag, struct nodes_page *p)
{
    char link[PAGE_LINK_SIZE];
    buf_append_str(&p->body, "{\"nodes\":[");
    int r = registry_each(api->settings.registry, after, append_node, p);
    if (r < 0) {
        http_problem(request, &no_memory, "no memory for the answer; try again");
        return;
    }
    if (r > 0)
        page_set_next(&p->page, p->last);
    buf_append_str(&p->body, "],");
    page_append_next(&p->page, &p->body);
    buf_append_char(&p->body, '}');
    answer(request, etag, page_format_link(&p->page, link) ? link : NULL, &p->body);
}

void nodes_get(void *context, struct http_request *request)
{
    struct api *api = context;
    struct nodes_params params = {.limit = NODES_LIMIT_DEFAULT};
    struct nodes_page page = {.body = BUF_INIT(PAGE_MAX_BYTES)};
    char etag[ETAG_SIZE];
    if (!params_parse(request, known, ARRAY_SIZE(known), &params) || !check_open(api, request))
        return;
    /* Of before the read: what changes meanwhile makes the next request's answer anew. */
    format_etag(registry_last(api->settings.registry), etag);
    if (is_known(request, etag))
        return;
    page_init(&page.page, request, "after", (unsigned)params.limit,
              http_server_answer_bytes(api->server));
    answer_page(api, request, params.after, etag, &page);
    page_deinit(&page.page);
    buf_deinit(&page.body);
}

/* ---- one ---- */

struct node_answer {
    struct buf body;
    char etag[ETAG_SIZE];
};

static int copy_node(void *context, const struct registry_item *item)
{
    struct node_answer *a = context;
    format_etag(item->version, a->etag);
    buf_append(&a->body, item->json, item->len);
    return 0;
}

void node_get(void *context, struct http_request *request)
{
    struct api *api = context;
    const char *name = http_request_path_parameter(request);
    struct node_answer a = {.body = BUF_INIT(PAGE_MAX_BYTES)};
    char level[TOPIC_LEVEL_SIZE];
    if (!params_none(request) || !check_open(api, request))
        return;
    topic_level_format(level, name);
    int r = registry_find(api->settings.registry, level, copy_node, &a);
    if (r == -ENOENT)
        http_problem(request, &not_found, "no node '%.100s' has reported", name);
    else if (r < 0)
        http_problem(request, &no_memory, "no memory for the answer; try again");
    else if (!is_known(request, a.etag))
        answer(request, a.etag, NULL, &a.body);
    buf_deinit(&a.body);
}

void nodes_stream_get(void *context, struct http_request *request)
{
    struct api *api = context;
    watch_handle(api->settings.watch, request);
}
