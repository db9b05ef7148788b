#pragma once

/*
 * A reference of an image, as people write it ("busybox", "reg.example:5000/app:1.4@sha256:...")
 * and with what Docker fills in: registry docker.io and there library/, tag latest. The grammar is
 * that of the distribution project's "reference" package. Pure.
 */

#include "common/base/error.h"

#define IMAGE_NAME_MAX   255 /* of registry and path together */
#define IMAGE_TAG_MAX    128
#define IMAGE_DIGEST_MAX 255

struct image_ref {
    char registry[IMAGE_NAME_MAX + 1]; /* "docker.io", "reg.example:5000" */
    char path[IMAGE_NAME_MAX + 1];     /* "library/busybox" */
    char tag[IMAGE_TAG_MAX + 1];       /* "latest" where neither tag nor digest was given; or "" */
    char digest[IMAGE_DIGEST_MAX + 1]; /* "sha256:..." or "" */
};

/* -EINVAL: `e` says what is wrong with the reference, and names it. */
MUST_CHECK int image_ref_parse(const char *text, struct image_ref *ret_ref, struct err *e);
