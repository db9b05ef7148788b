#include "receiver/api/accept_encoding.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/cleanup.h"

#define BLANKS     " \t"
#define UNSTATED   (-1)
#define WEIGHT_MAX 1000

static const struct {
    const char *name;
    enum coding coding;
} names[] = {
    {"identity", CODING_IDENTITY}, {"gzip", CODING_GZIP}, {"x-gzip", CODING_GZIP},
    {"br", CODING_BROTLI},         {"*", CODING_NONE},
};

/* qvalue = "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3("0") ], in thousandths; UNSTATED if it is none. */
static int parse_weight(const char *text, size_t len)
{
    if (len == 0 || len > 5 || (text[0] != '0' && text[0] != '1') || (len > 1 && text[1] != '.'))
        return UNSTATED;
    int weight = (text[0] - '0') * WEIGHT_MAX;
    int unit = WEIGHT_MAX / 10;
    for (size_t i = 2; i < len; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return UNSTATED;
        weight += (text[i] - '0') * unit;
    }
    return weight <= WEIGHT_MAX ? weight : UNSTATED;
}

/* "gzip;q=0.5" with blanks where the grammar has OWS. */
static void take_element(const char *text, size_t len, int weights[static CODING_NONE + 1])
{
    size_t name_len = strcspn(text, BLANKS ";,");
    const char *end = text + len;
    const char *rest = text + name_len + strspn(text + name_len, BLANKS);
    int weight = WEIGHT_MAX;
    if (rest < end && *rest == ';') {
        rest++;
        rest += strspn(rest, BLANKS);
        if (end - rest < 2 || strncasecmp(rest, "q=", 2) != 0)
            return;
        rest += 2;
        weight = parse_weight(rest, strcspn(rest, BLANKS ","));
    }
    if (weight == UNSTATED)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i].name) == name_len && strncasecmp(names[i].name, text, name_len) == 0)
            weights[names[i].coding] = weight;
}

enum coding accept_encoding_choose(const char *header)
{
    if (header == NULL)
        return CODING_IDENTITY;
    /* The last stands for "*". */
    int weights[CODING_NONE + 1] = {UNSTATED, UNSTATED, UNSTATED, UNSTATED};
    while (*header != '\0') {
        header += strspn(header, BLANKS ",");
        size_t len = strcspn(header, ",");
        take_element(header, len, weights);
        header += len;
    }
    int others = weights[CODING_NONE];
    for (int i = CODING_GZIP; i <= CODING_BROTLI; i++)
        if (weights[i] == UNSTATED)
            weights[i] = others == UNSTATED ? 0 : others;
    /* Acceptable unless it is refused, yet nobody who named another asked for it. */
    if (weights[CODING_IDENTITY] == UNSTATED)
        weights[CODING_IDENTITY] = others == UNSTATED ? 1 : others;
    enum coding best = CODING_NONE;
    int best_weight = 0;
    for (int i = CODING_BROTLI; i >= CODING_IDENTITY; i--) {
        if (weights[i] > best_weight) {
            best = (enum coding)i;
            best_weight = weights[i];
        }
    }
    return best;
}
