#include "tests/unit/common/http/loop_thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void on_async(uv_async_t *async)
{
    struct loop_thread *t = async->data;

    t->call(t->context);
    sem_post(&t->done);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct loop_thread *t = prepare->data;

    t->turns++;
}

static void *run(void *context)
{
    struct loop_thread *t = context;

    uv_run(&t->loop, UV_RUN_DEFAULT);
    return NULL;
}

void loop_thread_start(struct loop_thread *t)
{
    assert_int_equal(uv_loop_init(&t->loop), 0);
    assert_int_equal(uv_async_init(&t->loop, &t->async, on_async), 0);
    uv_prepare_init(&t->loop, &t->prepare);
    t->async.data = t;
    t->prepare.data = t;
    t->turns = 0;
    uv_prepare_start(&t->prepare, on_prepare);
    assert_int_equal(sem_init(&t->done, 0, 0), 0);
    assert_int_equal(pthread_create(&t->thread, NULL, run, t), 0);
}

void loop_thread_call(struct loop_thread *t, void (*call)(void *context), void *context)
{
    t->call = call;
    t->context = context;
    uv_async_send(&t->async);
    while (sem_wait(&t->done) < 0)
        ;
}

struct stop {
    struct loop_thread *thread;
    void (*end)(void *context);
    void *context;
};

static void do_stop(void *context)
{
    struct stop *stop = context;

    if (stop->end)
        stop->end(stop->context);
    uv_close((uv_handle_t *)&stop->thread->async, NULL);
    uv_close((uv_handle_t *)&stop->thread->prepare, NULL);
}

void loop_thread_stop(struct loop_thread *t, void (*end)(void *context), void *context)
{
    struct stop stop = {t, end, context};

    loop_thread_call(t, do_stop, &stop);
    assert_int_equal(pthread_join(t->thread, NULL), 0);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    sem_destroy(&t->done);
}
