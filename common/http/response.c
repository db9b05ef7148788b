#include "common/http/internal.h"
#include "common/http/problem.h"

/* Nothing that we serve is a page's to guess at, or to tell others where it came from. */
static const struct http_header security_headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {NULL, NULL},
};

static void add_headers(struct MHD_Response *response, const struct http_header *headers)
{
    for (; headers && headers->name; headers++)
        (void)MHD_add_response_header(response, headers->name, headers->value);
}

void http_response_give(struct http_request *request, unsigned status, const char *content_type,
                        const struct http_header *headers, struct MHD_Response *response)
{
    if (response) {
        if (content_type)
            (void)MHD_add_response_header(response, "Content-Type", content_type);
        add_headers(response, headers);
        add_headers(response, security_headers);
    }
    request->state = HTTP_ANSWERED;
    request->status = status;
    request->response = response;
    http_request_resume(request);
}

/* libmicrohttpd asks for a body that it may write to, and does not. */
static void *unconst(const void *body)
{
    union {
        const void *given;
        void *taken;
    } u = {body};

    return u.taken;
}

void http_respond(struct http_request *request, unsigned status, const char *content_type,
                  const void *body, size_t size, const struct http_header *headers)
{
    http_response_give(request, status, content_type, headers,
                       MHD_create_response_from_buffer(size, unconst(body), MHD_RESPMEM_MUST_COPY));
}

void http_respond_static(struct http_request *request, unsigned status, const char *content_type,
                         const void *body, size_t size, const struct http_header *headers)
{
    http_response_give(
        request, status, content_type, headers,
        MHD_create_response_from_buffer(size, unconst(body), MHD_RESPMEM_PERSISTENT));
}

void http_respond_buf(struct http_request *request, unsigned status, const char *content_type,
                      struct buf *body, const struct http_header *headers)
{
    struct MHD_Response *response;
    size_t size = 0;
    char *bytes;

    if (buf_failed(body)) {
        const struct problem problem = {
            .status = 500,
            .code = "answer-too-large",
            .title = "The answer could not be made",
        };

        http_problem(request, &problem, "the answer is larger than %zu bytes, or memory is short",
                     body->max);
        return;
    }
    bytes = buf_take(body, &size);
    response = MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        size = 0;
    }
    request->answer_bytes = size;
    request->server->answer_bytes += size;
    http_response_give(request, status, content_type, headers, response);
}
