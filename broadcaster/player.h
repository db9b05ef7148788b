#pragma once

/* Plays the machines: when a source is due, draws its message and its next gap, and hands the
 * message to the publisher. */

#include <uv.h>

#include "broadcaster/config.h"
#include "broadcaster/counters.h"
#include "broadcaster/publisher.h"
#include "broadcaster/source.h"

struct player;

struct player_settings {
    const struct broadcaster_config *config;
    struct sources *sources;
    struct publisher *publisher;
    struct counters *counters;
    const struct random_source *random;
};

/* All that the settings point to is borrowed. The first source speaks at once, the others within
 * the first gap that they draw. -ENOMEM. */
MUST_CHECK int player_new(uv_loop_t *loop, const struct player_settings *settings,
                          struct player **ret_player, struct err *e);
/* No message is made after this. The loop must run once more before player_free(). */
void player_stop(struct player *player);
void player_free(struct player *player);
DEFINE_CLEANUP(struct player *, player_free);

/* In microseconds: what --profile, --rate and the times come to for one source. The gap is a
 * multiple of `step_us`. */
struct player_gaps {
    int64_t min_us;
    int64_t max_us;
    int64_t step_us;
};
struct player_gaps player_gaps(const struct broadcaster_config *config);
