#include "manager/desired/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(char *, cJSON_free);

static int compare_members(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

int canonical_sort(cJSON *object)
{
    size_t count = 0;
    size_t i = 0;
    AUTO(free) cJSON **members = NULL;

    for (const cJSON *member = object->child; member; member = member->next)
        count++;
    if (count < 2)
        return 0;
    members = calloc(count, sizeof(cJSON *));
    if (!members)
        return -ENOMEM;
    for (cJSON *member = object->child; member; member = member->next)
        members[i++] = member;
    qsort(members, count, sizeof(cJSON *), compare_members);
    /* The list's ends as cJSON has them: the first's `prev` is the last. */
    for (i = 0; i < count; i++) {
        members[i]->prev = members[i > 0 ? i - 1 : count - 1];
        members[i]->next = i + 1 < count ? members[i + 1] : NULL;
    }
    object->child = members[0];
    return 0;
}

int canonical_digest(const cJSON *canonical, char ret_digest[static DIGEST_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    AUTO(cJSON_free) char *text = cJSON_PrintUnformatted(canonical);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (!text || EVP_Digest(text, strlen(text), digest, &size, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    for (unsigned i = 0; i < size; i++) {
        ret_digest[2 * i] = hex[digest[i] >> 4];
        ret_digest[2 * i + 1] = hex[digest[i] & 15];
    }
    ret_digest[2 * size] = '\0';
    return 0;
}
