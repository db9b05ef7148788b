#pragma once

/* A libuv loop on a thread of its own, and calls into it: what a test does beside the loop must not
 * block it. */

#include <pthread.h>
#include <semaphore.h>
#include <uv.h>

struct loop_thread {
    uv_loop_t loop;
    uv_async_t async;
    pthread_t thread;
    sem_t done;
    void (*call)(void *context); /* what the loop is to do next */
    void *context;
    unsigned turns; /* of the loop; read it by loop_thread_call */
    uv_prepare_t prepare;
};

void loop_thread_start(struct loop_thread *t);
/* Runs `call` on the loop and returns after it. */
void loop_thread_call(struct loop_thread *t, void (*call)(void *context), void *context);
/* Runs `end` on the loop, then until nothing is open in it. */
void loop_thread_stop(struct loop_thread *t, void (*end)(void *context), void *context);
