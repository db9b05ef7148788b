#include "broadcaster/outbox.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WINDOW_MS 5000

struct scene {
    struct outbox *outbox;
    uint64_t made;
    int next_mid;
    unsigned repeats;
};

static void begin(struct scene *s, size_t max_messages)
{
    *s = (struct scene){.next_mid = 1};
    assert_int_equal(outbox_new(max_messages, WINDOW_MS, &s->outbox), 0);
}

static bool put(struct scene *s)
{
    return outbox_put(s->outbox, &(struct message){.sequence = ++s->made});
}

static void put_many(struct scene *s, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_true(put(s));
}

/* Publishes the next message and checks that it is the wanted one; returns its id. */
static int send(struct scene *s, uint64_t wanted)
{
    const struct message *message = outbox_next(s->outbox);
    int mid = s->next_mid++;

    assert_non_null(message);
    assert_int_equal(message->sequence, wanted);
    s->repeats += outbox_sent(s->outbox, mid);
    return mid;
}

static void acknowledge(struct scene *s, int mid, int64_t now_ms, uint64_t wanted)
{
    struct message message = {0};

    assert_int_equal(outbox_acknowledge(s->outbox, mid, now_ms, &message), OUTBOX_FIRST);
    assert_int_equal(message.sequence, wanted);
}

static void test_in_order_and_acknowledged_once(void **state)
{
    struct scene s;
    struct message message;

    (void)state;
    begin(&s, 10);
    assert_null(outbox_next(s.outbox));
    assert_true(outbox_is_settled(s.outbox));
    put_many(&s, 2);
    int one = send(&s, 1), two = send(&s, 2);
    assert_null(outbox_next(s.outbox));
    assert_false(outbox_is_settled(s.outbox));
    assert_int_equal(outbox_undelivered(s.outbox), 2);
    acknowledge(&s, one, 0, 1);
    acknowledge(&s, two, 0, 2);
    assert_true(outbox_is_settled(s.outbox));
    assert_int_equal(outbox_undelivered(s.outbox), 0);
    assert_int_equal(outbox_count(s.outbox), 2);
    assert_int_equal(outbox_acknowledge(s.outbox, two, 0, &message), OUTBOX_UNKNOWN);
    outbox_free(s.outbox);
}

/* What was acknowledged in the last window goes out again, before what was never sent. */
static void test_rewind_repeats_the_window(void **state)
{
    struct scene s;
    struct message message;

    (void)state;
    begin(&s, 10);
    put_many(&s, 4);
    acknowledge(&s, send(&s, 1), 1000, 1);
    acknowledge(&s, send(&s, 2), 3000, 2);
    acknowledge(&s, send(&s, 3), 6000, 3); /* a window after the first, which is let go of */
    send(&s, 4);
    assert_int_equal(outbox_count(s.outbox), 3);
    put_many(&s, 1);

    outbox_rewind(s.outbox);
    assert_int_equal(s.repeats, 0);
    int two = send(&s, 2);
    send(&s, 3);
    int four = send(&s, 4);
    assert_int_equal(s.repeats, 3);
    send(&s, 5);
    assert_int_equal(s.repeats, 3);
    assert_int_equal(outbox_acknowledge(s.outbox, two, 7000, &message), OUTBOX_REPEAT);
    acknowledge(&s, four, 7000, 4);
    outbox_free(s.outbox);
}

/* The time that a broker was away, or silent, is no part of the window. */
static void test_window_does_not_run_out_by_the_clock(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 10);
    put_many(&s, 2);
    acknowledge(&s, send(&s, 1), 1000, 1);
    outbox_rewind(s.outbox);
    int one = send(&s, 1), two = send(&s, 2);
    struct message message;
    assert_int_equal(outbox_acknowledge(s.outbox, one, 3600000, &message), OUTBOX_REPEAT);
    acknowledge(&s, two, 3600001, 2);
    assert_int_equal(outbox_count(s.outbox), 2); /* the repeat begins a window of its own */
    outbox_free(s.outbox);
}

static void test_full_refuses_the_newest(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 3);
    put_many(&s, 3);
    assert_false(put(&s));
    assert_int_equal(outbox_count(s.outbox), 3);
    send(&s, 1);
    assert_false(put(&s)); /* in flight is not delivered */
    outbox_free(s.outbox);
}

static void test_delivered_give_way_first(void **state)
{
    struct scene s;
    struct message message;

    (void)state;
    begin(&s, 3);
    put_many(&s, 3);
    acknowledge(&s, send(&s, 1), 0, 1);
    acknowledge(&s, send(&s, 2), 0, 2);
    outbox_rewind(s.outbox);
    int one = send(&s, 1);
    put_many(&s, 2); /* for 1, which is in flight again, and 2, which waits to be */
    assert_false(put(&s));
    assert_int_equal(outbox_acknowledge(s.outbox, one, 0, &message), OUTBOX_REPEAT);
    send(&s, 3);
    send(&s, 4);
    send(&s, 5);
    assert_null(outbox_next(s.outbox));
    outbox_free(s.outbox);
}

/* The slot of a message that gave way in flight serves another by the time that its PUBACK comes.
 */
static void test_late_acknowledgement(void **state)
{
    struct scene s;
    struct message message;

    (void)state;
    begin(&s, 64);
    put_many(&s, 64);
    acknowledge(&s, send(&s, 1), 0, 1);
    outbox_rewind(s.outbox);
    int one = send(&s, 1);
    put_many(&s, 1);
    assert_int_equal(outbox_undelivered(s.outbox), 64);
    assert_int_equal(outbox_acknowledge(s.outbox, one, 0, &message), OUTBOX_REPEAT);
    assert_int_equal(outbox_undelivered(s.outbox), 64);
    outbox_free(s.outbox);
}

/* Message ids begin anew with each connection: those of the last one mean nothing. */
static void test_rewind_forgets_flights(void **state)
{
    struct scene s;
    struct message message;

    (void)state;
    begin(&s, 10);
    put_many(&s, 2);
    int one = send(&s, 1);
    outbox_rewind(s.outbox);
    assert_int_equal(outbox_acknowledge(s.outbox, one, 0, &message), OUTBOX_UNKNOWN);
    acknowledge(&s, send(&s, 1), 0, 1);
    acknowledge(&s, send(&s, 2), 0, 2);
    assert_true(outbox_is_settled(s.outbox));
    outbox_free(s.outbox);
}

static void test_acknowledged_out_of_order(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 10);
    put_many(&s, 3);
    int one = send(&s, 1), two = send(&s, 2), three = send(&s, 3);
    acknowledge(&s, three, 0, 3);
    acknowledge(&s, one, 0, 1);
    assert_false(outbox_is_settled(s.outbox));
    acknowledge(&s, two, WINDOW_MS, 2); /* 1 is let go of; 3 stays behind 2 */
    assert_true(outbox_is_settled(s.outbox));
    assert_int_equal(outbox_count(s.outbox), 2);
    outbox_free(s.outbox);
}

static void test_flights_are_bounded(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, 2 * OUTBOX_MAX_IN_FLIGHT);
    put_many(&s, OUTBOX_MAX_IN_FLIGHT + 1);
    for (uint64_t n = 1; n <= OUTBOX_MAX_IN_FLIGHT; n++)
        send(&s, n);
    assert_null(outbox_next(s.outbox));
    acknowledge(&s, 1, 0, 1);
    send(&s, OUTBOX_MAX_IN_FLIGHT + 1);
    assert_null(outbox_next(s.outbox));
    outbox_free(s.outbox);
}

/* Through growing, wrapping around and shrinking no message is lost or doubled. */
static void test_many(void **state)
{
    struct scene s;
    uint64_t sent = 0;
    int64_t now_ms = 0;

    (void)state;
    begin(&s, 5000);
    for (int round = 0; round < 3; round++) {
        put_many(&s, 4000);
        while (outbox_next(s.outbox)) {
            sent++;
            now_ms += WINDOW_MS;
            acknowledge(&s, send(&s, sent), now_ms, sent);
        }
        assert_int_equal(sent, s.made);
        assert_int_equal(outbox_count(s.outbox), 1);
    }
    outbox_free(s.outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_and_acknowledged_once),
        cmocka_unit_test(test_rewind_repeats_the_window),
        cmocka_unit_test(test_window_does_not_run_out_by_the_clock),
        cmocka_unit_test(test_full_refuses_the_newest),
        cmocka_unit_test(test_delivered_give_way_first),
        cmocka_unit_test(test_late_acknowledgement),
        cmocka_unit_test(test_rewind_forgets_flights),
        cmocka_unit_test(test_acknowledged_out_of_order),
        cmocka_unit_test(test_flights_are_bounded),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
