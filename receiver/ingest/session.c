#include "receiver/ingest/session.h"

#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/str.h"

#define SESSION_MAX_BYTES (64 << 10)

static void session_forget(struct session *session)
{
    free(TAKE(session->broker_url));
    free(TAKE(session->client_id));
    for (size_t i = 0; i < SESSION_MAX_FILTERS; i++)
        free(TAKE(session->filters[i]));
}

void session_deinit(struct session *session)
{
    session_forget(session);
    free(TAKE(session->path));
}

static int remember(struct session *session, const char *broker_url, const char *client_id)
{
    session_forget(session);
    session->broker_url = strdup(broker_url);
    session->client_id = strdup(client_id);
    return session->broker_url && session->client_id ? 0 : -ENOMEM;
}

static int add_filter(struct session *session, size_t index, const char *filter)
{
    session->filters[index] = strdup(filter);
    return session->filters[index] ? 0 : -ENOMEM;
}

static int parse(struct session *session, const struct buf *text, struct err *e)
{
    cJSON *json AUTO(cJSON_Delete) = NULL;
    const char *broker_url = NULL, *client_id = NULL;
    const cJSON *filters = NULL, *filter;
    size_t count = 0;

    int r = json_parse(text->data, text->len, JSON_MAX_DEPTH, &json, e);
    if (r < 0)
        return r;
    if (json_get_string(json, "", "broker_url", &broker_url, e) != 0 ||
        json_get_string(json, "", "client_id", &client_id, e) != 0 ||
        json_get_array(json, "", "filters", &filters, e) != 0)
        return FAIL(e, EINVAL, "broker_url, client_id and filters must be there");
    r = remember(session, broker_url, client_id);
    cJSON_ArrayForEach(filter, filters)
    {
        if (r == 0 && cJSON_IsString(filter) && count < SESSION_MAX_FILTERS)
            r = add_filter(session, count++, filter->valuestring);
    }
    return r;
}

int session_open(const char *dir, struct session *ret_session, struct err *e)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(SESSION_MAX_BYTES);
    struct session session = {0};

    if (asprintf(&session.path, "%s/session.json", dir) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    int r = file_read(session.path, &text, e);
    if (r == 0)
        r = parse(&session, &text, e);
    if (r < 0 && r != -ENOENT) {
        log_warning("ingest", "the remembered session could not be read and is taken as new",
                    LOG_STR("file", session.path), LOG_STR("reason", e->msg));
        session_forget(&session);
    }
    *ret_session = session;
    return 0;
}

bool session_is_expected(const struct session *session, const struct mqtt_options *mqtt)
{
    return session->broker_url && str_equal(session->broker_url, mqtt->broker_url) &&
           str_equal(session->client_id, mqtt->client_id);
}

bool session_has_filters(const struct session *session, const char *const *filters)
{
    size_t i = 0;
    while (filters[i] && session->filters[i] && str_equal(filters[i], session->filters[i]))
        i++;
    return !filters[i] && !session->filters[i];
}

int session_save(struct session *session, const struct mqtt_options *mqtt,
                 const char *const *filters, struct err *e)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(SESSION_MAX_BYTES);

    int r = remember(session, mqtt->broker_url, mqtt->client_id);
    for (size_t i = 0; i < SESSION_MAX_FILTERS && filters[i] && r == 0; i++)
        r = add_filter(session, i, filters[i]);
    if (r < 0)
        return FAIL(e, ENOMEM, "out of memory");
    buf_append_str(&text, "{\"broker_url\":");
    buf_append_json(&text, session->broker_url);
    buf_append_str(&text, ",\"client_id\":");
    buf_append_json(&text, session->client_id);
    buf_append_str(&text, ",\"filters\":[");
    for (size_t i = 0; session->filters[i]; i++) {
        if (i > 0)
            buf_append_char(&text, ',');
        buf_append_json(&text, session->filters[i]);
    }
    buf_append_str(&text, "]}\n");
    if (buf_failed(&text))
        return FAIL(e, ENOMEM, "out of memory");
    return file_write_atomic(session->path, text.data, text.len, 0644, e);
}
