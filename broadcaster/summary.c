#include "broadcaster/summary.h"

#include "common/base/log.h"

#define PERIOD_MS 10000

static void on_timer(uv_timer_t *timer)
{
    struct summary *s = timer->data;
    double published = metric_value(s->counters->published);
    double acknowledged = metric_value(s->counters->acknowledged);

    log_info("broadcaster", "publishing",
             LOG_INT("per_second", (published - s->published) * 1000 / PERIOD_MS),
             LOG_INT("published", published - s->published),
             LOG_INT("acknowledged", acknowledged - s->acknowledged),
             LOG_INT("outbox_messages", publisher_kept(s->publisher)),
             LOG_INT("undelivered", publisher_undelivered(s->publisher)));
    s->published = published;
    s->acknowledged = acknowledged;
}

void summary_start(uv_loop_t *loop, struct summary *summary, const struct counters *counters,
                   const struct publisher *publisher)
{
    summary->counters = counters;
    summary->publisher = publisher;
    uv_timer_init(loop, &summary->timer);
    summary->timer.data = summary;
    uv_timer_start(&summary->timer, on_timer, PERIOD_MS, PERIOD_MS);
}

void summary_stop(struct summary *summary)
{
    if (summary->counters)
        uv_close((uv_handle_t *)&summary->timer, NULL);
}
