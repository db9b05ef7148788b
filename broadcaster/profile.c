#include "broadcaster/profile.h"

const char *const profile_names[] = {"hello", "events", "charger", NULL};

const struct profile *profile_at(int index)
{
    static const struct profile *const profiles[] = {
        &profile_hello,
        &profile_event,
        &profile_session,
    };
    return profiles[index];
}
