/* A charging station's sessions: a car's energy at some power takes its time and has its price. */

#include <inttypes.h>
#include <stdio.h>

#include "broadcaster/profile.h"

#define START_FEE_CENTS 35

/* What stations have: one and three phases of AC, and DC. */
static const struct {
    uint32_t watts;
    uint32_t cents_per_kwh;
    int64_t min_wh, max_wh;
} stations[] = {
    {3700, 39, 1500, 22000},  {11000, 45, 3000, 55000},  {22000, 49, 4000, 60000},
    {50000, 59, 6000, 65000}, {150000, 69, 9000, 80000},
};

static struct profile_gaps gaps(const struct profile_times *times)
{
    return (struct profile_gaps){.min_ms = times->session_period_ms,
                                 .max_ms = times->session_period_ms};
}

static void draw(struct message *message, const struct random_source *random)
{
    int64_t index = random_between(random, 0, (int64_t)ARRAY_SIZE(stations) - 1);
    uint64_t energy_wh =
        (uint64_t)random_between(random, stations[index].min_wh, stations[index].max_wh);
    /* A car takes 60 to 98 % of the station's power on average. */
    uint64_t watts = stations[index].watts * (uint64_t)random_between(random, 60, 98) / 100;

    message->body.session.energy_wh = (uint32_t)energy_wh;
    message->body.session.duration_s = (uint32_t)(energy_wh * 3600 / watts);
    message->body.session.cost_cents =
        START_FEE_CENTS + (uint32_t)(energy_wh * stations[index].cents_per_kwh / 1000);
}

static void encode(struct buf *out, const struct message *message,
                   const struct profile_source *source)
{
    char session_id[SOURCE_PATH_SIZE + 48];

    /* The last level of the path is the machine's name. */
    (void)snprintf(session_id, sizeof(session_id), "%s-%s-%" PRIu64,
                   source->path + sizeof("/machines/") - 1, source->boot_id, message->sequence);
    event_encode_session(out, session_id, message->time_us / 1000000,
                         message->body.session.energy_wh / 1000.0, message->body.session.duration_s,
                         message->body.session.cost_cents);
}

const struct profile profile_session = {
    .type = EVENT_TYPE_SESSION,
    .log_message = "charging session",
    .gaps = gaps,
    .draw = draw,
    .encode = encode,
};
