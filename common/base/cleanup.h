#pragma once

/*
 * Ownership by scope. AUTO(fn) on a local calls fn on its value when the scope ends; TAKE(p) hands
 * the value over and leaves NULL behind, so that the scope's end does nothing. Every destructor
 * named in AUTO accepts NULL.
 */

#include <stdlib.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))

/* Declares the adaptor that AUTO(fn) calls: `DEFINE_CLEANUP(struct buf *, buf_free)`. */
#define DEFINE_CLEANUP(type, fn)                                                                   \
    static inline void fn##_cleanup(__typeof__(type) *p)                                           \
    {                                                                                              \
        fn(*p);                                                                                    \
    }                                                                                              \
    struct fn##_cleanup_needs_semicolon

#define AUTO(fn) __attribute__((cleanup(fn##_cleanup)))

#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

static inline void free_cleanup(void *p)
{
    free(*(void **)p);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
