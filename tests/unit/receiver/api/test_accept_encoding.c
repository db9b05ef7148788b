#include "receiver/api/accept_encoding.h"

#include <stddef.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_choice(void **state)
{
    static const struct {
        const char *header;
        enum coding coding;
    } cases[] = {
        {NULL, CODING_IDENTITY},
        {"", CODING_IDENTITY},
        {"gzip, deflate, br, zstd", CODING_BROTLI}, /* a browser */
        {"gzip, deflate", CODING_GZIP},
        {"br", CODING_BROTLI},
        {"BR", CODING_BROTLI},
        {"x-gzip", CODING_GZIP},
        {"gzip;q=1.0, br;q=0.5", CODING_GZIP},
        {"gzip;q=0.5,br;q=0.5", CODING_BROTLI},
        {"gzip ; q=0.8 ,\tbr ;q=0.9", CODING_BROTLI},
        {"br;q=0, gzip", CODING_GZIP},
        {"br;q=0.000, gzip;q=0", CODING_IDENTITY},
        {"identity, gzip;q=0.5", CODING_IDENTITY},
        {"identity;q=0.5, gzip;q=0.4", CODING_IDENTITY},
        {"identity;q=0", CODING_NONE},
        {"identity;q=0, gzip", CODING_GZIP},
        {"gzip;q=0.001", CODING_GZIP},
        {"*", CODING_BROTLI},
        {"*;q=0", CODING_NONE},
        {"*;q=0, identity", CODING_IDENTITY},
        {"br;q=0, *", CODING_GZIP},
        {"deflate", CODING_IDENTITY},
        {"gzip;q=", CODING_IDENTITY},
        {"gzip;q=2", CODING_IDENTITY},
        {"gzip;q=1.5", CODING_IDENTITY},
        {"gzip;q=0.1234", CODING_IDENTITY},
        {"gzip;q=-1", CODING_IDENTITY},
        {"gzip;level=9", CODING_IDENTITY},
        {"gzip;q=1;x", CODING_IDENTITY},
        {";q=1", CODING_IDENTITY},
        {",,, ,gzip,,", CODING_GZIP},
        {"gzipx", CODING_IDENTITY},
        {"brgzip", CODING_IDENTITY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum coding coding = accept_encoding_choose(cases[i].header);
        if (coding != cases[i].coding)
            fail_msg("'%s' gives %d, not %d", cases[i].header, coding, cases[i].coding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
