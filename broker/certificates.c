#include "broker/certificates.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/base/file.h"

#define FILE_MAX_BYTES (1 << 20)

DEFINE_CLEANUP(BIO *, BIO_free);
DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

enum { AUTHORITY, CERTIFICATE, KEY, FILES };

struct text {
    const char *path;
    struct buf bytes;
};

static int texts_read(const struct certificate_files *files, struct text *texts, struct err *e)
{
    const char *const paths[FILES] = {files->authority, files->certificate, files->key};
    int r = 0;

    for (size_t i = 0; i < FILES; i++)
        texts[i] = (struct text){paths[i], BUF_INIT(FILE_MAX_BYTES)};
    for (size_t i = 0; i < FILES && r == 0; i++)
        r = file_read(texts[i].path, &texts[i].bytes, e);
    return r;
}

static void texts_deinit(struct text *texts)
{
    for (size_t i = 0; i < FILES; i++) {
        if (texts[i].bytes.data)
            explicit_bzero(texts[i].bytes.data, texts[i].bytes.len);
        buf_deinit(&texts[i].bytes);
    }
}

/* The next certificate of the file: 1, 0 at its end, or < 0 where what comes is none. */
static int next_certificate(BIO *bio, X509 **ret_certificate)
{
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned long code = ERR_peek_last_error();

    ERR_clear_error();
    if (certificate) {
        *ret_certificate = certificate;
        return 1;
    }
    return ERR_GET_REASON(code) == PEM_R_NO_START_LINE ? 0 : -EINVAL;
}

/* All certificates of a file: the first of them, and the validity of any as an authority. */
static int parse_certificates(const struct text *text, X509 **ret_first, struct validity *validity,
                              struct err *e)
{
    BIO *bio AUTO(BIO_free) = BIO_new_mem_buf(text->bytes.data, (int)text->bytes.len);
    X509 *first AUTO(X509_free) = NULL;
    X509 *one;
    int r;

    if (!bio)
        return FAIL(e, ENOMEM, "out of memory");
    while ((r = next_certificate(bio, &one)) > 0) {
        validity_add_authority(validity, one);
        if (first)
            X509_free(one);
        else
            first = one;
    }
    if (r < 0 || !first)
        return FAIL(e, EINVAL, "'%s' is not a complete PEM file of certificates", text->path);
    *ret_first = TAKE(first);
    return 0;
}

/* A key with a passphrase would be asked for on the terminal. */
static int no_passphrase(char *out, int size, int writing, void *context)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)context;
    return 0;
}

static int check_key(const struct text *text, const char *certificate_path, X509 *certificate,
                     struct err *e)
{
    BIO *bio AUTO(BIO_free) = BIO_new_mem_buf(text->bytes.data, (int)text->bytes.len);
    EVP_PKEY *key AUTO(EVP_PKEY_free) = NULL;

    if (!bio)
        return FAIL(e, ENOMEM, "out of memory");
    key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    bool matches = key && X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    if (!key)
        return FAIL(e, EINVAL, "'%s' is no complete PEM key without passphrase", text->path);
    if (!matches)
        return FAIL(e, EINVAL, "the key '%s' is not that of the certificate '%s'", text->path,
                    certificate_path);
    return 0;
}

/* Lengths go in too, so that no byte may change from one file to the next unseen. */
static int digest(const struct text *texts, size_t count, unsigned char *ret_digest)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(context, &texts[i].bytes.len, sizeof(texts[i].bytes.len)) == 1 &&
             EVP_DigestUpdate(context, texts[i].bytes.data, texts[i].bytes.len) == 1;
    ok = ok && EVP_DigestFinal_ex(context, ret_digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok ? 0 : -ENOMEM;
}

static int parse(const struct text *texts, struct certificates *out, struct err *e)
{
    X509 *certificate AUTO(X509_free) = NULL;
    X509 *authority AUTO(X509_free) = NULL;
    struct validity chain = {0};

    int r = parse_certificates(&texts[AUTHORITY], &authority, &out->validity, e);
    if (r == 0)
        r = parse_certificates(&texts[CERTIFICATE], &certificate, &chain, e);
    if (r == 0)
        r = check_key(&texts[KEY], texts[CERTIFICATE].path, certificate, e);
    if (r < 0)
        return r;
    validity_add_own(&out->validity, certificate);
    if (digest(&texts[AUTHORITY], 1, out->authority) < 0 ||
        digest(&texts[CERTIFICATE], 2, out->own) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    return 0;
}

int certificates_read(const struct certificate_files *files, struct certificates *ret_certificates,
                      struct err *e)
{
    struct certificates found = {0};
    struct text texts[FILES];

    int r = texts_read(files, texts, e);
    if (r == 0)
        r = parse(texts, &found, e);
    texts_deinit(texts);
    if (r == 0)
        *ret_certificates = found;
    return r;
}
