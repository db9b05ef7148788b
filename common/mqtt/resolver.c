#include "common/mqtt/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/str.h"
#include "common/mqtt/settings.h"

#define STACK_BYTES (512 * 1024) /* glibc's name services use large buffers on the stack */

struct resolver {
    pthread_t thread;
    atomic_uint holders; /* the caller and the thread */
    atomic_bool done;
    int fd;
    int status; /* of getaddrinfo(); this and `result` are valid once done */
    struct resolver_result result;
    char host[MQTT_HOST_SIZE];
};

static void release(struct resolver *r)
{
    if (atomic_fetch_sub(&r->holders, 1) > 1)
        return;
    close(r->fd);
    free(r);
}

static void look_up(struct resolver *r)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;

    r->status = getaddrinfo(r->host, NULL, &hints, &list);
    for (const struct addrinfo *a = list; a && r->result.count < RESOLVER_ADDRESSES;
         a = a->ai_next) {
        char *text = r->result.addresses[r->result.count];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, RESOLVER_ADDRESS_SIZE, NULL, 0,
                        NI_NUMERICHOST) == 0)
            r->result.count++;
    }
    if (list)
        freeaddrinfo(list);
    if (r->status == 0 && r->result.count == 0)
        r->status = EAI_NONAME;
}

static void *run(void *context)
{
    struct resolver *r = context;

    look_up(r);
    atomic_store(&r->done, true);
    /* An eventfd's counter takes far more than this one. */
    (void)eventfd_write(r->fd, 1);
    release(r);
    return NULL;
}

static int start_thread(struct resolver *r)
{
    pthread_attr_t attributes;
    sigset_t all, before;

    int error = pthread_attr_init(&attributes);
    if (error)
        return -error;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* Signals are for the threads that run a loop. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&r->thread, &attributes, run, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

int resolver_new(const char *host, struct resolver **ret_resolver, struct err *e)
{
    struct resolver *r = calloc(1, sizeof(*r));
    if (!r)
        return FAIL(e, ENOMEM, "out of memory");
    atomic_init(&r->holders, 2);
    r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = r->fd < 0 ? -errno : 0;
    if (error == 0 && !str_copy(r->host, sizeof(r->host), host))
        error = -ENAMETOOLONG;
    if (error == 0)
        error = start_thread(r);
    if (error < 0) {
        if (r->fd >= 0)
            close(r->fd);
        free(r);
        return FAIL(e, -error, "name '%s' could not be looked up: %s", host, strerror(-error));
    }
    *ret_resolver = r;
    return 0;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    /* One that is done is at its last instructions; a process that ends would race with them. */
    if (atomic_load(&resolver->done))
        pthread_join(resolver->thread, NULL);
    else
        pthread_detach(resolver->thread);
    release(resolver);
}

int resolver_fd(const struct resolver *resolver)
{
    return resolver->fd;
}

int resolver_result(struct resolver *resolver, struct resolver_result *ret_result, struct err *e)
{
    if (!atomic_load(&resolver->done))
        return -EAGAIN;
    if (resolver->status != 0)
        return FAIL(e, ENOENT, "name '%s' could not be resolved: %s", resolver->host,
                    gai_strerror(resolver->status));
    *ret_result = resolver->result;
    return 0;
}
