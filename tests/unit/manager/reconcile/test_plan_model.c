#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "tests/unit/manager/reconcile/engine_model.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/*
 * Random documents, one after the other, on an engine in memory; each is applied in a random order
 * that the plan allows, cut off anywhere, gone on with, rolled back, or disturbed from outside. In
 * the end the plan must be empty, with no container left over.
 */

#define SEQUENCES 1000
#define STEPS     6

static uint64_t seed;
/* What the manager has met since it was started or had converged. */
static struct ghosts ghosts, suspects;

static unsigned draw(unsigned n)
{
    /* xorshift64*: the same everywhere, so that a failure can be had again. */
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* ---- documents ---- */

static const char *const restarts[] = {"no", "always", "unless-stopped"};
static const char *const strategies[] = {"create-stop-start", "stop-create-start", "handover"};

static void add_service(struct buf *text, const char *name, const char *before, bool ports)
{
    buf_appendf(text,
                "%s\"%s\":{\"image\":\"image%u\",\"restart\":\"%s\",\"environment\":{\"A\":\"%u\"}",
                before[0] ? "," : "", name, draw(2), restarts[draw(3)], draw(3));
    bool has_port = ports && draw(2) == 0;
    if (has_port)
        buf_appendf(text, ",\"ports\":[{\"target\":80,\"published\":\"%u\"}]", 8000 + draw(2));
    else if (draw(3) == 0)
        buf_appendf(text, ",\"deploy\":{\"replicas\":%u}", 1 + draw(3));
    if (before[0] && draw(2) == 0)
        buf_appendf(text, ",\"depends_on\":{\"%s\":{\"condition\":\"service_%s\",\"restart\":%s}}",
                    before, draw(2) ? "started" : "healthy", draw(2) ? "true" : "false");
    buf_appendf(text, ",\"x-bellbuoy\":{\"strategy\":\"%s\"}}", strategies[draw(has_port ? 2 : 3)]);
}

/* Two services never have the same port at once in these: one has 8000 or 8001 by its place. */
static struct document *random_document(int64_t revision)
{
    static const char *const names[] = {"a", "b", "c"};
    static const struct safety safety = {0};
    struct buf text AUTO(buf_deinit) = BUF_INIT(65536);
    struct document *document = NULL;
    struct rejection rejection = {0};
    const char *before = "";
    unsigned owner = draw(3);

    buf_appendf(&text,
                "{\"apiVersion\":\"bellbuoy/v1\",\"revision\":%lld,\"project\":\"p\","
                "\"policy\":{\"allowEmpty\":true},\"services\":{",
                (long long)revision);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (draw(4) == 0)
            continue;
        add_service(&text, names[i], before, i == owner);
        before = names[i];
    }
    buf_appendf(&text, "},\"networks\":{\"default\":{\"name\":\"p_default\",\"internal\":%s}}}",
                draw(5) == 0 ? "true" : "false");
    if (document_parse(text.data, text.len, &safety, &document, &rejection) < 0) {
        print_error("%s\n%s\n", rejection.e.msg, text.data);
        fail();
    }
    return document;
}

/* ---- carrying out ---- */

static bool is_ready(const struct plan *plan, const bool *done, size_t index)
{
    for (size_t i = 0; i < plan->ops[index].after_count; i++)
        if (!done[plan->ops[index].after[i]])
            return false;
    return !done[index];
}

/* -1: nothing is left. */
static int pick(const struct plan *plan, const bool *done)
{
    size_t offset = plan->count > 0 ? draw((unsigned)plan->count) : 0;

    for (size_t i = 0; i < plan->count; i++)
        if (is_ready(plan, done, (i + offset) % plan->count))
            return (int)((i + offset) % plan->count);
    return -1;
}

static bool commits(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ops[i].kind == OP_COMMIT)
            return true;
    return false;
}

static void print_plan(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct buf line AUTO(buf_deinit) = BUF_INIT(4096);

        op_format(&plan->ops[i], &line);
        print_error("%zu %s, after", i, line.data);
        for (size_t k = 0; k < plan->ops[i].after_count; k++)
            print_error(" %d", plan->ops[i].after[k]);
        print_error("\n");
    }
}

static bool is_news(const struct model *model)
{
    bool is_name = ghosts_have(&model->haunted, model->ghost);

    return (!is_name && ghosts_add(&suspects, model->ghost)) || ghosts_add(&ghosts, model->ghost);
}

static void forget(void)
{
    ghosts_forget(&ghosts);
    ghosts_forget(&suspects);
}

/* True: done to its end, and committed. `cut`: after so many operations. False as well where it met
 * a ghost, or buried one: the next plan goes on. */
static bool carry_out(struct model *model, const struct document *document, enum plan_mode mode,
                      size_t cut)
{
    struct observed *observed = model_observe(model);
    const struct plan_settings settings = {.mode = mode,
                                           .ghosts = &ghosts,
                                           .suspects = &suspects,
                                           .remove_ghosts = mode == PLAN_STEADY};
    struct plan plan = {0};
    bool done[512] = {0};
    size_t count = 0;
    int next;

    assert_int_equal(plan_make(&plan, document, observed, &settings), 0);
    assert_int_equal(plan.obstacle.code, REASON_NONE);
    assert_true(plan.count < ARRAY_SIZE(done));
    memset(model->made, 0, sizeof(model->made));
    model->ghost = NULL;
    while (count < cut && (next = pick(&plan, done)) >= 0) {
        if (!model_do(model, document, &plan, (size_t)next) && !plan.ops[next].may_fail) {
            if (model->ghost && is_news(model))
                break;
            print_plan(&plan);
            print_error("operation %d: %s\n", next, model->refused);
            fail();
        }
        done[next] = true;
        count++;
    }
    bool finished = count == plan.count && (mode == PLAN_STEADY || commits(&plan));
    if (count < plan.count && count < cut && !model->ghost) {
        print_plan(&plan);
        fail_msg("operations wait for each other");
    }
    plan_deinit(&plan);
    model_release(observed);
    return finished;
}

static void complete(struct model *model, const struct document *document, enum plan_mode mode)
{
    while (!carry_out(model, document, mode, SIZE_MAX))
        ;
}

static size_t changes(struct model *model, const struct document *document, bool show)
{
    struct observed *observed = model_observe(model);
    const struct plan_settings settings = {.mode = PLAN_STEADY};
    struct plan plan = {0};

    assert_int_equal(plan_make(&plan, document, observed, &settings), 0);
    size_t count = plan_changes(&plan);
    if (show && count > 0)
        print_plan(&plan);
    plan_deinit(&plan);
    model_release(observed);
    return count;
}

/* ---- from outside ---- */

static void disturb(struct model *model)
{
    struct model_container *c = &model->containers[draw(8)];

    if (!c->exists || c->foreign)
        return;
    switch (draw(7)) {
    case 6:
        c->deaf = true;
        break;
    case 5:
        c->stuck = !c->stuck;
        break;
    case 4:
        (void)ghosts_add(&model->haunted, c->name);
        c->exists = false;
        break;
    case 0:
        c->exists = false;
        break;
    case 1:
        c->state = CONTAINER_EXITED;
        c->exit_code = 137;
        break;
    case 2:
        (void)snprintf(c->restart, sizeof(c->restart), "%s", restarts[draw(3)]);
        break;
    case 3:
        c->network[0] = c->network_id[0] = '\0';
        break;
    }
}

static void start_anew(struct model *model)
{
    if (draw(3) == 0) /* the manager is */
        forget();
    if (draw(4) == 0) /* the engine is */
        ghosts_forget(&model->haunted);
}

static size_t wanted(const struct document *document)
{
    size_t count = 0;

    for (size_t i = 0; i < document->service_count; i++)
        count += (size_t)document->services[i].replicas;
    return count;
}

/* Sooner or later the engine lets go of some, and then they are gone. */
static void exorcise(struct model *model, const struct document *document)
{
    size_t there = 0;

    for (size_t i = 0; i < MODEL_MAX; i++)
        model->containers[i].stuck &= draw(2) == 0;
    carry_out(model, document, PLAN_STEADY, SIZE_MAX);
    for (size_t i = 0; i < MODEL_MAX; i++) {
        const struct model_container *c = &model->containers[i];
        there += c->exists && !c->foreign && (!ghosts_is_buried(c->name, c->revision) || !c->stuck);
    }
    assert_int_equal(there, wanted(document));
}

static void settle(struct model *model, const struct document *document)
{
    for (int i = 0; i < 8 && changes(model, document, false) > 0; i++)
        complete(model, document, PLAN_STEADY);
    forget();
    assert_int_equal(changes(model, document, true), 0);
    assert_int_equal(model_count(model), wanted(document));
    assert_string_equal(model_find(model, "stranger")->id, "s1");
    exorcise(model, document);
}

static void run_sequence(uint64_t number)
{
    struct model model = {
        .containers[MODEL_MAX - 1] = {.exists = true,
                                      .foreign = true,
                                      .id = "s1",
                                      .name = "stranger",
                                      .state = CONTAINER_RUNNING},
        .images = {{"image0", "sha256:0"}, {"image1", "sha256:1"}},
    };
    struct document *good = NULL;

    forget();
    seed = number * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (int64_t revision = 1; revision <= STEPS; revision++) {
        struct document *next = random_document(revision);
        bool committed = false;

        /* Cut off, and gone on with. */
        for (unsigned cuts = draw(3); cuts > 0 && !committed; cuts--)
            committed = carry_out(&model, next, PLAN_APPLY, draw(12));
        start_anew(&model);
        if (!committed && good && draw(3) == 0) {
            while (!carry_out(&model, good, PLAN_ROLLBACK, draw(4) == 0 ? draw(8) : SIZE_MAX))
                ;
            document_free(next);
            settle(&model, good);
            continue;
        }
        if (!committed)
            complete(&model, next, PLAN_APPLY);
        document_free(good);
        good = next;
        settle(&model, good);
        for (unsigned drifts = draw(3); drifts > 0; drifts--)
            disturb(&model);
        if (draw(4) == 0) /* docker tag */
            (void)snprintf(model.images[0][1], sizeof(model.images[0][1]), "sha256:%u",
                           100 + draw(1000));
        if (draw(2) == 0)
            settle(&model, good);
    }
    document_free(good);
}

static void test_sequences(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= SEQUENCES; number++) {
        uint64_t shown = number;
        run_sequence(number);
        assert_true(shown == number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sequences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
