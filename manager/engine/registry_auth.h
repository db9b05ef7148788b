#pragma once

/*
 * Credentials for a registry, from a file like Docker's own ~/.docker/config.json:
 *
 *     {"auths": {"reg.example:5000": {"auth": "<base64 of user:password>"}}}
 *
 * `username` and `password`, or `identitytoken`, may stand in place of `auth`. Docker Hub's key is
 * https://index.docker.io/v1/. Helpers (credsStore, credHelpers) are programs and are not run.
 */

#include "common/base/buf.h"
#include "common/base/error.h"
#include "manager/engine/image_ref.h"

#define REGISTRY_AUTH_NONE 1

/* The header X-Registry-Auth: base64url of a JSON object (Engine API, "Authentication"). Appended
 * to `out`. 0; REGISTRY_AUTH_NONE where the file has none for the image's registry, or is not
 * there; -EINVAL, -ENOMEM or another error of reading, with path and place in `e`. */
MUST_CHECK int registry_auth_find(const char *path, const struct image_ref *ref, struct buf *out,
                                  struct err *e);
