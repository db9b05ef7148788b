#pragma once

/*
 * An engine in memory for the planner: carries out operations as the real one would, and refuses
 * what it would refuse (a name or a port that is taken, also by nobody; a container of a network
 * that is not there; one that it does not get rid of).
 */

#include "manager/reconcile/plan.h"

#define MODEL_MAX 64

struct model_container {
    bool exists;
    char id[16], name[128], service[64], hash[DIGEST_SIZE], image_id[32], restart[24];
    char network_id[16]; /* of the first, "": none */
    char network[64];
    char shares[16]; /* id of the container whose network it has */
    int number;
    int64_t revision;
    enum container_state state;
    int exit_code;
    int ports[4];
    size_t port_count;
    bool foreign; /* somebody else's */
    bool stuck;   /* is neither stopped nor removed */
    bool deaf;    /* is not stopped but by a kill */
};

struct model_network {
    bool exists;
    char id[16], name[64], project[64], hash[DIGEST_SIZE];
};

struct model {
    struct model_container containers[MODEL_MAX];
    struct model_network networks[MODEL_MAX];
    char volumes[MODEL_MAX][64], volume_hashes[MODEL_MAX][DIGEST_SIZE];
    size_t volume_count;
    char images[8][2][32]; /* reference, id */
    int next_id;
    char made[512][16];    /* by the plan's operations */
    const char *refused;   /* why the last operation was; NULL: it was not */
    struct ghosts haunted; /* names that no container has and none can get */
    const char *ghost;     /* that, or a stuck container's id, which the last operation met */
};

/* Like GET of the lists: the caller frees with model_release(). */
struct observed *model_observe(const struct model *model);
void model_release(struct observed *observed);

/* False: the engine refused it (`refused`). */
bool model_do(struct model *model, const struct document *document, const struct plan *plan,
              size_t index);

struct model_container *model_find(struct model *model, const char *name);
/* Containers that are not foreign, nor buried. */
size_t model_count(const struct model *model);
