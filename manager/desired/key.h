#pragma once

/*
 * One row per key of a document: how its value is read into canonical form, and where it lands in
 * the body of the engine's create call. Admission, canonical form and create body all come from the
 * same tables, so that none knows a key that another does not.
 */

#include "manager/desired/reading.h"

struct key;
struct body;

/* 0 and the canonical value, which the caller frees; NULL for what equals an absent key. -EINVAL
 * with the rejection, or -ENOMEM. */
typedef int key_reader(const struct reading *r, const struct place *at, const struct key *key,
                       const cJSON *value, cJSON **ret_canonical);

/* Adds the canonical value to the body; false without memory. */
typedef bool key_writer(struct body *body, const struct key *key, const cJSON *canonical);

/* What a changed value makes necessary. */
enum key_effect {
    KEY_RECREATES, /* a new container */
    KEY_IN_PLACE,  /* an update of the living one; a new one where it is set no more */
    KEY_POLICY,    /* nothing: it tells the manager what to do */
};

struct key {
    const char *name;
    key_reader *read;
    key_writer *write;          /* NULL: a copy where there is a `field`, else nothing */
    const char *field;          /* "Cmd", "HostConfig/CapAdd"; a sub-table's are below its object */
    const struct key *keys;     /* of an object, or of an array's or map's objects; to name NULL */
    const char *const *choices; /* NULL-terminated; the first is the default */
    key_reader *item;           /* of each in an array or map, in place of key_read_object */
    int64_t min, max;           /* of numbers; of an array's or map's items, `max` alone */
    int64_t unset;              /* the number, or truth, that equals an absent key */
    bool keep;                  /* every value differs from an absent key */
    bool required;
    bool unique; /* of strings: each once, as a set in order */
    enum key_effect effect;
    const char *word;    /* that --allow must name */
    const char *refused; /* why the key is not taken, what to do instead */
};

/* Refuses what no row of `keys` names; `x-...` is passed over. The object has its members in the
 * order of their names. */
key_reader key_read_object;
/* The same; NULL where nothing is left in it. */
key_reader key_read_options;
/* NAME: object, and [object, ...], each read by `keys`. */
key_reader key_read_objects, key_read_array;

/* Writes an object's members by the rows of its sub-table. */
key_writer key_write_object;

const struct key *key_find(const struct key *keys, const char *name);

/* Writes all members of a canonical object by their rows. */
MUST_CHECK bool key_write_all(struct body *body, const struct key *keys, const cJSON *canonical);

/* Adds to an object under construction; false, with `item` freed, without memory. */
MUST_CHECK bool key_add(cJSON *object, const char *name, cJSON *item);
