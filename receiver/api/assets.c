/* GET / and every other path that is no resource: the dashboard's files, from the binary. */

#include "receiver/web/assets.h"

#include "common/base/str.h"
#include "common/http/problem.h"
#include "receiver/api/accept_encoding.h"
#include "receiver/api/etag.h"
#include "receiver/api/routes.h"

static const char content_security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

static const struct problem not_found = {.status = 404, .code = "not-found", .title = "Not found"};
static const struct problem not_acceptable = {
    .status = 406, .code = "not-acceptable", .title = "No acceptable content coding"};

static const struct asset *find_asset(const char *path)
{
    size_t count;
    const struct asset *assets = assets_table(&count);
    for (size_t i = 0; i < count; i++)
        if (str_equal(assets[i].path, path))
            return &assets[i];
    return NULL;
}

static const struct asset_body *choose_body(const struct asset *asset, enum coding coding,
                                            const char **ret_name)
{
    switch (coding) {
    case CODING_BROTLI:
        *ret_name = "br";
        return &asset->brotli;
    case CODING_GZIP:
        *ret_name = "gzip";
        return &asset->gzip;
    default:
        *ret_name = NULL;
        return &asset->identity;
    }
}

void assets_get(void *context, struct http_request *request)
{
    (void)context;
    const struct asset *asset = find_asset(http_request_path(request));
    if (asset == NULL) {
        http_problem(request, &not_found, "there is nothing at %.100s", http_request_path(request));
        return;
    }
    enum coding coding = accept_encoding_choose(http_request_header(request, "Accept-Encoding"));
    if (coding == CODING_NONE) {
        http_problem(request, &not_acceptable, "to be had are br, gzip and identity");
        return;
    }
    const char *name;
    const struct asset_body *body = choose_body(asset, coding, &name);
    const struct http_header headers[] = {
        {"ETag", body->etag},
        {"Vary", "Accept-Encoding"},
        {"Cache-Control", "no-cache"},
        {"Content-Security-Policy", content_security_policy},
        {name == NULL ? NULL : "Content-Encoding", name},
        {NULL, NULL},
    };
    if (etag_matches(http_request_header(request, "If-None-Match"), body->etag))
        http_respond_static(request, 304, asset->content_type, "", 0, headers);
    else
        http_respond_static(request, 200, asset->content_type, body->data, body->size_bytes,
                            headers);
}
