#include "broadcaster/player.h"

#include "broadcaster/schedule.h"
#include "common/base/clock.h"

#define US_PER_MS       1000
#define MESSAGES_A_TURN 4096    /* so that acknowledgements are read in between */
#define MAX_LATENESS_US 2000000 /* after a pause of the process no flood makes up for it */

struct player {
    struct player_settings settings;
    struct player_gaps gaps;
    struct schedule *schedule;
    uv_timer_t timer;
    bool stopped;
};

/* Under --rate the gaps keep their shape and shrink, or stretch, to the wanted mean. */
struct player_gaps player_gaps(const struct broadcaster_config *config)
{
    struct profile_gaps gaps = config->profile->gaps(&config->times);

    if (config->rate == 0)
        return (struct player_gaps){gaps.min_ms * US_PER_MS, gaps.max_ms * US_PER_MS, US_PER_MS};
    double mean_ms = (double)(gaps.min_ms + gaps.max_ms) / 2;
    double wanted_us = 1e6 * (double)config->sources / (double)config->rate;
    return (struct player_gaps){
        .min_us = (int64_t)((double)gaps.min_ms * wanted_us / mean_ms),
        .max_us = (int64_t)((double)gaps.max_ms * wanted_us / mean_ms),
        .step_us = 1,
    };
}

static int64_t draw_gap_us(const struct player *player)
{
    const struct player_gaps *g = &player->gaps;
    return g->step_us *
           random_between(player->settings.random, g->min_us / g->step_us, g->max_us / g->step_us);
}

static void speak(struct player *player, size_t source, int64_t gap_us)
{
    const struct player_settings *s = &player->settings;
    const struct profile *profile = s->config->profile;
    struct message message = {
        .sequence = source_next_sequence(s->sources, source),
        .time_us = clock_wall_us(),
        .source = (uint32_t)source,
        .next_in_ms = (int32_t)((gap_us + US_PER_MS / 2) / US_PER_MS),
    };

    if (profile->draw)
        profile->draw(&message, s->random);
    metric_observe(s->counters->gaps, (double)gap_us / 1e6);
    publisher_put(s->publisher, &message);
}

/* Returns the time of the next message, or `now_us` where the turn's share was used up. */
static int64_t speak_all_due(struct player *player, int64_t now_us)
{
    for (unsigned i = 0; i < MESSAGES_A_TURN; i++) {
        int64_t due_us;
        size_t source = schedule_first(player->schedule, &due_us);
        if (due_us > now_us)
            return due_us;
        int64_t gap_us = draw_gap_us(player);
        speak(player, source, gap_us);
        /* From the time it was due, not from now: gaps are kept on average, whatever the load. */
        int64_t base_us = now_us - due_us > MAX_LATENESS_US ? now_us : due_us;
        schedule_put_off(player->schedule, base_us + gap_us);
    }
    return now_us;
}

static void on_timer(uv_timer_t *timer)
{
    struct player *player = timer->data;
    int64_t next_us = speak_all_due(player, clock_monotonic_us());
    int64_t wait_us = next_us - clock_monotonic_us();

    publisher_flush(player->settings.publisher);
    /* libuv counts from the time at which the turn began. */
    uv_update_time(timer->loop);
    uv_timer_start(timer, on_timer,
                   wait_us > 0 ? (uint64_t)((wait_us + US_PER_MS - 1) / US_PER_MS) : 0, 0);
}

/* Ten thousand machines that start together need not speak together. */
static void spread(struct player *player)
{
    int64_t now_us = clock_monotonic_us();

    schedule_put_off(player->schedule, now_us);
    for (size_t i = 1; i < sources_count(player->settings.sources); i++) {
        int64_t delay_us = random_between(player->settings.random, 0, draw_gap_us(player));
        schedule_put_off(player->schedule, now_us + delay_us);
    }
}

int player_new(uv_loop_t *loop, const struct player_settings *settings, struct player **ret_player,
               struct err *e)
{
    struct player *player AUTO(player_free) = calloc(1, sizeof(*player));

    if (!player || schedule_new(sources_count(settings->sources), &player->schedule) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    player->settings = *settings;
    player->gaps = player_gaps(settings->config);
    spread(player);
    uv_timer_init(loop, &player->timer);
    player->timer.data = player;
    uv_timer_start(&player->timer, on_timer, 0, 0);
    *ret_player = TAKE(player);
    return 0;
}

void player_stop(struct player *player)
{
    if (!player || player->stopped)
        return;
    player->stopped = true;
    uv_close((uv_handle_t *)&player->timer, NULL);
}

void player_free(struct player *player)
{
    if (!player)
        return;
    schedule_free(player->schedule);
    free(player);
}
