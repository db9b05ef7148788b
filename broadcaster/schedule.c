#include "broadcaster/schedule.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
    int64_t due_us;
    size_t source;
};

struct schedule {
    size_t count;
    struct entry heap[]; /* the first at 0; the children of i at 2i+1 and 2i+2 */
};

int schedule_new(size_t sources, struct schedule **ret_schedule)
{
    struct schedule *s = calloc(1, sizeof(*s) + sources * sizeof(s->heap[0]));
    if (!s)
        return -ENOMEM;
    s->count = sources;
    for (size_t i = 0; i < sources; i++)
        s->heap[i].source = i;
    *ret_schedule = s;
    return 0;
}

void schedule_free(struct schedule *schedule)
{
    free(schedule);
}

size_t schedule_first(const struct schedule *schedule, int64_t *ret_due_us)
{
    *ret_due_us = schedule->heap[0].due_us;
    return schedule->heap[0].source;
}

void schedule_put_off(struct schedule *schedule, int64_t due_us)
{
    struct entry *heap = schedule->heap;
    struct entry moved = {.due_us = due_us, .source = heap[0].source};
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < schedule->count && heap[child + 1].due_us < heap[child].due_us)
            child++;
        if (child >= schedule->count || heap[child].due_us >= due_us)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}
