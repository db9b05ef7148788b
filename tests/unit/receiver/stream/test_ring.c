#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "receiver/stream/ring.h"

#define SIZE   64
#define BLOCKS 10000

struct block {
    uint64_t at;
    size_t len;
    char byte;
};

/* Blocks that are in the ring have their bytes, lie in one piece, and runs end where they should.
 */
static void check(const struct ring *ring, const struct block *blocks, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const struct block *b = &blocks[i];
        const char *bytes = ring_bytes(ring, b->at);

        assert_true(bytes + b->len <= ring->bytes + ring->size);
        for (size_t k = 0; k < b->len; k++)
            assert_int_equal(bytes[k], b->byte);
        assert_true(ring_run_end(ring, b->at) >= b->at + b->len);
        if (i + 1 < end) {
            bool adjacent = blocks[i + 1].at == b->at + b->len && blocks[i + 1].at % SIZE != 0;

            assert_int_equal(ring_run_end(ring, b->at) > b->at + b->len, adjacent);
        } else {
            assert_int_equal(ring_run_end(ring, b->at), ring->head);
        }
    }
}

static void test_blocks_stay_whole(void **state)
{
    struct block *blocks = calloc(BLOCKS, sizeof(*blocks));
    struct ring ring;
    unsigned seed = 1;
    size_t first = 0;

    (void)state;
    assert_int_equal(ring_init(&ring, SIZE), 0);
    for (size_t i = 0; i < BLOCKS; i++) {
        struct block *b = &blocks[i];
        char bytes[SIZE];

        b->len = 1 + (unsigned)rand_r(&seed) % (SIZE / 2);
        b->byte = (char)('a' + i % 26);
        memset(bytes, b->byte, b->len);
        while (!ring_fits(&ring, b->len, &b->at)) {
            assert_true(first < i);
            first++;
            ring_drop(&ring, first < i ? blocks[first].at : ring.head);
        }
        ring_put(&ring, b->at, bytes, b->len);
        check(&ring, blocks, first, i + 1);
    }
    ring_deinit(&ring);
    free(blocks);
}

/* Nothing is lost before there is need: a ring of 64 holds four of 16. */
static void test_it_is_used_whole(void **state)
{
    struct ring ring;
    uint64_t at;

    (void)state;
    assert_int_equal(ring_init(&ring, SIZE), 0);
    for (int i = 0; i < 4; i++) {
        assert_true(ring_fits(&ring, 16, &at));
        ring_put(&ring, at, "0123456789abcdef", 16);
    }
    assert_false(ring_fits(&ring, 16, &at));
    assert_int_equal(ring_run_end(&ring, 0), 64);
    ring_drop(&ring, 16);
    assert_true(ring_fits(&ring, 16, &at));
    assert_int_equal(at, 64);
    ring_deinit(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_stay_whole),
        cmocka_unit_test(test_it_is_used_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
