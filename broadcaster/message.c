#include "broadcaster/message.h"

#include <assert.h>

#include "broadcaster/profile.h"

void message_name(const struct message *message, const struct profile *profile,
                  const struct sources *sources, struct message_name *ret_name)
{
    source_path(sources, message->source, ret_name->source);
    event_format_id(
        &(struct event_identity){
            .source = ret_name->source,
            .bootid = sources_boot_id(sources),
            .sequence = message->sequence,
        },
        ret_name->id);
    /* Names are bounded so that the topic fits. */
    int r = event_format_topic(ret_name->source, profile->type, ret_name->topic, TOPIC_SIZE);
    assert(r == 0);
    (void)r;
}

void message_encode(const struct message *message, const struct profile *profile,
                    const struct sources *sources, struct buf *data, struct buf *out)
{
    char path[SOURCE_PATH_SIZE];

    source_path(sources, message->source, path);
    buf_reset(data);
    profile->encode(data, message, &(struct profile_source){path, sources_boot_id(sources)});
    event_encode(out, profile->type,
                 &(struct event_identity){
                     .source = path,
                     .bootid = sources_boot_id(sources),
                     .sequence = message->sequence,
                     .time_us = message->time_us,
                 },
                 data->data, data->len);
}
