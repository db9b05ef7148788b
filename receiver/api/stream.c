/* GET /api/v1/stream */

#include "receiver/api/routes.h"
#include "receiver/api/state.h"

void stream_get(void *context, struct http_request *request)
{
    struct api *api = context;
    streams_handle(api->settings.streams, request);
}
