#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "common/http/internal.h"

/* "/api/v1/events/{cursor}" matches one more level that is not empty. */
static bool matches(const char *template, const char *path, const char **ret_parameter)
{
    const char *brace = strchr(template, '{');
    size_t fixed;

    *ret_parameter = "";
    if (!brace)
        return strcmp(template, path) == 0;
    fixed = (size_t)(brace - template);
    if (strncmp(template, path, fixed) != 0 || path[fixed] == '\0' || strchr(path + fixed, '/'))
        return false;
    *ret_parameter = path + fixed;
    return true;
}

const struct http_route *http_route_find(const struct http_settings *settings, const char *method,
                                         const char *path, const char **ret_parameter)
{
    if (str_equal(method, "HEAD"))
        method = "GET";
    for (size_t i = 0; i < settings->route_count; i++) {
        const struct http_route *route = &settings->routes[i];

        if (strcmp(route->method, method) == 0 && matches(route->path, path, ret_parameter))
            return route;
    }
    *ret_parameter = "";
    return NULL;
}

void http_route_methods(const struct http_settings *settings, const char *path, char *text,
                        size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < settings->route_count && len < size; i++) {
        const struct http_route *route = &settings->routes[i];
        const char *parameter;
        const char *also = str_equal(route->method, "GET") ? ", HEAD" : "";

        if (matches(route->path, path, &parameter))
            len += (size_t)snprintf(text + len, size - len, "%s%s%s", len > 0 ? ", " : "",
                                    route->method, also);
    }
}
