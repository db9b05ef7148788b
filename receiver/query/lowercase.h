#pragma once

/*
 * Unicode's simple lower case of one code point. Our own table: towlower() follows the process's
 * locale, and the image that ships the receiver has no locale files.
 */

#include <stdint.h>

uint32_t lowercase_beyond_ascii(uint32_t point);

static inline uint32_t lowercase(uint32_t point)
{
    if (point < 0x80) {
        return point >= 'A' && point <= 'Z' ? point + ('a' - 'A') : point;
    }
    return lowercase_beyond_ascii(point);
}
