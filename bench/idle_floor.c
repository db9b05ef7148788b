/*
 * The floor of idle memory: starts the libraries that a service links, connects nothing, and waits.
 * Built once for each service, for a library counts as soon as it is linked: with WITH_SERVER for
 * the receiver, WITH_ENGINE for the manager. Prints "ready"; ends with its standard input.
 */

#include <mosquitto.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

#ifdef WITH_SERVER
#include <microhttpd.h>
#include <sqlite3.h>

static enum MHD_Result refuse(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    (void)context, (void)connection, (void)url, (void)method, (void)version, (void)upload;
    (void)upload_size, (void)request;
    return MHD_NO;
}

static void start_own_libraries(void)
{
    sqlite3 *db;

    MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, refuse, NULL,
                     MHD_OPTION_END);
    if (sqlite3_open(":memory:", &db) == SQLITE_OK)
        sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)", NULL, NULL, NULL);
}

#elif defined(WITH_ENGINE)
#include <curl/curl.h>

static void start_own_libraries(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl_multi_init();
    curl_easy_init();
}

#else
static void start_own_libraries(void)
{
}
#endif

int main(void)
{
    char end;
    uv_loop_t *loop = uv_default_loop();

    mosquitto_lib_init();
    if (!mosquitto_new("idle-floor", true, NULL))
        return 1;
    start_own_libraries();
    uv_run(loop, UV_RUN_NOWAIT);
    puts("ready");
    fflush(stdout);
    return read(STDIN_FILENO, &end, 1) < 0;
}
