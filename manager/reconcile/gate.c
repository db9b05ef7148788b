#include "manager/reconcile/gate.h"

#include "manager/desired/cron.h"

static int64_t window_opens_us(const struct window *window, int64_t now_us)
{
    struct cron cron;

    if (!window->cron || cron_parse(window->cron, &cron) < 0 || /* admission has seen to that */
        cron_open_since(&cron, window->duration_ns, window->utc, now_us) != 0)
        return 0;
    int64_t next_us = cron_next(&cron, window->utc, now_us);
    return next_us == 0 ? INT64_MAX : next_us;
}

int64_t gate_opens_us(const struct document *document, int64_t now_us)
{
    if (document->not_before_us > now_us)
        return document->not_before_us;
    return window_opens_us(&document->policy.window, now_us);
}
