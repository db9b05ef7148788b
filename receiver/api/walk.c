#include "receiver/api/walk.h"

void walk_init(struct walk *walk, const struct query *query, uint64_t first, uint64_t last)
{
    *walk = (struct walk){
        .query = query, .low = first > 0 ? first - 1 : 0, .high = last + 1, .is_first = true};
    if (query->given & QUERY_AFTER && query->after.seq > walk->low)
        walk->low = query->after.seq;
    if (query->given & QUERY_BEFORE && query->before.seq < walk->high)
        walk->high = query->before.seq;
}

uint64_t walk_place(const struct walk *walk)
{
    return walk->query->ascending ? walk->low : walk->high;
}

/* The query's own upper bound, where it has one, is the one of the step that touches it: what came
 * since walk_init lies below it. */
static void step_up(struct walk *walk, uint64_t rows, struct query *step)
{
    step->given |= QUERY_AFTER;
    step->after.seq = walk->low;
    walk->is_last = walk->high <= walk->low || walk->high - walk->low - 1 <= rows;
    if (walk->is_last)
        return;
    step->given |= QUERY_BEFORE;
    step->before.seq = walk->low + rows + 1;
    walk->low += rows;
}

static void step_down(struct walk *walk, uint64_t rows, struct query *step)
{
    if (!walk->is_first) {
        step->given |= QUERY_BEFORE;
        step->before.seq = walk->high;
    }
    step->given |= QUERY_AFTER;
    step->after.seq = walk->low;
    walk->is_last = walk->high <= walk->low || walk->high - walk->low - 1 <= rows;
    if (walk->is_last)
        return;
    step->after.seq = walk->high - rows - 1;
    walk->high -= rows;
}

void walk_step(struct walk *walk, uint64_t rows, struct query *ret_query)
{
    *ret_query = *walk->query;
    if (walk->query->ascending)
        step_up(walk, rows, ret_query);
    else
        step_down(walk, rows, ret_query);
    walk->is_first = false;
}
