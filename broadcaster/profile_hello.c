/* "Hello world", 1 to 10 s apart: the gap is drawn afresh for each message. */

#include "broadcaster/profile.h"

static struct profile_gaps gaps(const struct profile_times *times)
{
    (void)times;
    return (struct profile_gaps){.min_ms = 1000, .max_ms = 10000};
}

static void encode(struct buf *out, const struct message *message,
                   const struct profile_source *source)
{
    char color[EVENT_COLOR_SIZE];

    event_color(source->path, color);
    event_encode_hello(out, "Hello world", color, message->next_in_ms);
}

const struct profile profile_hello = {
    .type = EVENT_TYPE_HELLO,
    .log_message = "Hello world",
    .gaps = gaps,
    .encode = encode,
};
