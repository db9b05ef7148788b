#include "common/mqtt/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

struct tls {
    SSL_CTX *context;
    char host[MQTT_HOST_SIZE];
    bool host_is_name;
    int verify_error; /* X509_V_OK, or why we refused the broker's certificate */
    int alert;        /* the broker's alert, 0: none */
    char note[160];
};

/* What OpenSSL says of the last failed call, or of its system call. */
static const char *openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code))
        reason = strerror((int)ERR_GET_REASON(code));
    return reason ? reason : "OpenSSL gives no reason";
}

/* A file that does not exist fails as two errors, of which the first tells why. */
static int file_failure(const char *option, const char *path, struct err *e)
{
    unsigned long code = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror((int)ERR_GET_REASON(code)) : openssl_reason();

    ERR_clear_error();
    return FAIL(e, EINVAL, "--%s '%s' could not be read: %s", option, path, reason);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (!ok && tls->verify_error == X509_V_OK)
        tls->verify_error = X509_STORE_CTX_get_error(store);
    return ok;
}

/* Before the ClientHello is made: libmosquitto set the numeric address as the server's name. */
static void set_server_name(struct tls *tls, const SSL *ssl)
{
    /* The callback's pointer is const; the object that it points to is the connection's own. */
    SSL *own = (SSL *)(uintptr_t)ssl;

    if (SSL_set_tlsext_host_name(own, tls->host_is_name ? tls->host : NULL) != 1)
        ERR_clear_error();
}

static void on_info(const SSL *ssl, int where, int value)
{
    struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (where == SSL_CB_HANDSHAKE_START && SSL_in_before(ssl))
        set_server_name(tls, ssl);
    if (where == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL)
        tls->alert = value & 0xff;
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

static int set_expected_host(struct tls *tls, struct err *e)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->context);

    /* What does not parse as an address is a name. */
    if (X509_VERIFY_PARAM_set1_ip_asc(param, tls->host) == 1)
        return 0;
    ERR_clear_error();
    tls->host_is_name = true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(param, tls->host, 0) != 1)
        return FAIL(e, ENOMEM, "out of memory");
    return 0;
}

static int load_authorities(const struct tls *tls, const struct mqtt_options *o, struct err *e)
{
    if (o->ca_file && SSL_CTX_load_verify_file(tls->context, o->ca_file) != 1)
        return file_failure("ca-file", o->ca_file, e);
    if (!o->ca_file && SSL_CTX_set_default_verify_paths(tls->context) != 1)
        return FAIL(e, EINVAL, "the system's certificates could not be read: %s", openssl_reason());
    return 0;
}

static int load_own_certificate(const struct tls *tls, const struct mqtt_options *o, struct err *e)
{
    if (!o->cert_file)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(tls->context, o->cert_file) != 1)
        return file_failure("cert-file", o->cert_file, e);
    if (SSL_CTX_use_PrivateKey_file(tls->context, o->key_file, SSL_FILETYPE_PEM) != 1)
        return file_failure("key-file", o->key_file, e);
    return 0;
}

static int configure(struct tls *tls, const struct mqtt_options *options, struct err *e)
{
    SSL_CTX_set_app_data(tls->context, tls);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_info_callback(tls->context, on_info);
    SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
    SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
        return FAIL(e, EINVAL, "TLS 1.2 is not to be had: %s", openssl_reason());

    int r = set_expected_host(tls, e);
    if (r == 0)
        r = load_authorities(tls, options, e);
    if (r == 0)
        r = load_own_certificate(tls, options, e);
    return r;
}

int tls_new(const struct mqtt_options *options, const char *host, struct tls **ret_tls,
            struct err *e)
{
    struct tls *tls AUTO(tls_free) = calloc(1, sizeof(*tls));

    ERR_clear_error();
    if (tls)
        tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls || !tls->context)
        return FAIL(e, ENOMEM, "out of memory");
    if (!str_copy(tls->host, sizeof(tls->host), host))
        return FAIL(e, EINVAL, "the broker's name is too long");
    int r = configure(tls, options, e);
    if (r == 0)
        *ret_tls = TAKE(tls);
    return r;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

SSL_CTX *tls_context(const struct tls *tls)
{
    return tls->context;
}

void tls_note_error(struct tls *tls, const char *text)
{
    if (tls->note[0] == '\0')
        (void)snprintf(tls->note, sizeof(tls->note), "%s", text);
}

bool tls_failure(const struct tls *tls, struct err *e)
{
    if (tls->verify_error != X509_V_OK) {
        const char *why = X509_verify_cert_error_string(tls->verify_error);
        err_set(e, EACCES, "the broker's certificate was refused for '%s': %s", tls->host, why);
    } else if (tls->alert != 0) {
        const char *why = SSL_alert_desc_string_long(tls->alert);
        err_set(e, EACCES, "the broker refused the TLS connection: %s", why);
    } else if (strstr(tls->note, "wrong version number")) {
        err_set(e, EPROTO, "the broker does not speak TLS on this port");
    } else if (tls->note[0] != '\0') {
        err_set(e, EPROTO, "TLS failed: %s", tls->note);
    } else {
        return false;
    }
    return true;
}
