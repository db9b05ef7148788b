/* Text as a time: what clock_parse_us takes comes back from clock_format_us as the same time. */

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int64_t time_us;
    if (clock_parse_us((const char *)bytes, size, &time_us) < 0) {
        return 0;
    }
    /* An offset can lead out of the years 0 to 9999, which alone have a form. */
    bool has_form = time_us >= INT64_C(-62167219200000000) && time_us < INT64_C(253402300800000000);
    char text[CLOCK_TEXT_SIZE];
    int64_t again = 0;
    clock_format_us(time_us, text);
    require(clock_parse_us(text, strlen(text), &again) == 0);
    require(again == time_us || !has_form);
    return 0;
}
