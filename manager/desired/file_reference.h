#pragma once

/* Secrets and configs: files of the node's --secrets-dir, mounted read-only. */

#include "manager/desired/value.h"

#define FILE_OBJECTS_MAX 1000 /* of each kind; looked through one by one */

extern const struct key file_reference_keys[]; /* of a service's */
extern const struct key file_object_keys[];    /* of the top level's */
key_reader file_object_read;                   /* of one of the top level's */
key_reader file_reference_read_secrets, file_reference_read_configs;
key_writer file_reference_write;

/* What a top-level secret or config `key` is called in the folder. */
const char *file_object_name(const cJSON *objects, const char *key);
