#include "manager/preview.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "manager/reconcile/dry_run.h"

#define ANSWER_MS 10000

struct preview {
    const struct manager_config *config;
    uv_loop_t loop;
    uv_timer_t deadline;
    struct engine *engine;
    struct dry_run *run;
    struct taken *taken;
    struct err *e;
    char reason[256];
    int r;
};

static void print_plan(const struct plan *plan)
{
    struct buf line AUTO(buf_deinit) = BUF_INIT(4096);

    for (size_t i = 0; i < plan->count; i++) {
        if (!op_is_change(plan->ops[i].kind))
            continue;
        buf_reset(&line);
        op_format(&plan->ops[i], &line);
        puts(line.data);
    }
    if (plan->obstacle.code != REASON_NONE)
        printf("cannot be done: %s (%s)\n", plan->obstacle.message,
               reason_name(plan->obstacle.code));
    else if (plan_changes(plan) == 0)
        puts("nothing to do");
}

static void on_planned(void *context, const struct plan *plan, const struct err *e)
{
    struct preview *p = context;

    p->run = NULL;
    if (plan)
        print_plan(plan);
    p->r = plan ? 0 : FAIL(p->e, EIO, "%s", e->msg);
    uv_stop(&p->loop);
}

static void on_engine_changed(void *context, enum engine_state state, const char *reason)
{
    struct preview *p = context;
    const struct dry_run_settings settings = {
        .engine = p->engine,
        .node = p->config->node,
        .taken = p->taken,
        .done = on_planned,
        .context = p,
    };

    if (reason)
        (void)snprintf(p->reason, sizeof(p->reason), "%s", reason);
    if (state != ENGINE_UP || p->run)
        return;
    p->r = dry_run_start(&settings, &p->run, p->e);
    if (p->r < 0)
        uv_stop(&p->loop);
}

static void on_late(uv_timer_t *timer)
{
    struct preview *p = timer->data;

    p->r = FAIL(p->e, EIO, "the engine at %s did not answer within %d s: %s",
                p->config->docker_socket, ANSWER_MS / 1000, p->reason);
    uv_stop(&p->loop);
}

static int read_document(struct preview *p, const char *file)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(DOCUMENT_MAX_BYTES);
    struct document *document = NULL;
    struct rejection rejection = {0};

    int r = file_read(file, &text, p->e);
    if (r < 0)
        return r;
    r = document_parse(text.data ? text.data : "", text.len, &p->config->safety, &document,
                       &rejection);
    if (r < 0) {
        *p->e = rejection.e;
        err_context(p->e, "%s", file);
        return r;
    }
    p->taken = taken_new(document, text.data, text.len);
    return p->taken ? 0 : FAIL(p->e, ENOMEM, "out of memory");
}

int preview_run(const struct manager_config *config, const char *file, struct err *e)
{
    struct preview p = {.config = config, .e = e};
    const struct engine_settings settings = {
        .loop = &p.loop,
        .socket = config->docker_socket,
        .changed = on_engine_changed,
        .context = &p,
    };

    int r = read_document(&p, file);
    if (r < 0)
        return r;
    r = uv_loop_init(&p.loop);
    if (r < 0) {
        taken_unref(p.taken);
        return FAIL(e, -r, "no event loop could be made: %s", uv_strerror(r));
    }
    uv_timer_init(&p.loop, &p.deadline);
    p.deadline.data = &p;
    uv_timer_start(&p.deadline, on_late, ANSWER_MS, 0);
    p.r = engine_new(&settings, &p.engine, e);
    if (p.r == 0)
        uv_run(&p.loop, UV_RUN_DEFAULT);
    dry_run_cancel(p.run);
    engine_stop(p.engine);
    uv_close((uv_handle_t *)&p.deadline, NULL);
    uv_run(&p.loop, UV_RUN_DEFAULT);
    engine_free(p.engine);
    taken_unref(p.taken);
    (void)uv_loop_close(&p.loop);
    return p.r;
}
