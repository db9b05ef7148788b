#include "common/http/admin_options.h"

#include <stddef.h>

#include "common/http/address.h"
#include "common/http/healthcheck.h"

const struct option admin_option_table[] = {
    {.name = "admin-address",
     .type = OPTION_STRING,
     .offset = offsetof(struct admin_options, address),
     .fallback = "127.0.0.1:9090",
     .value_name = "HOST:PORT",
     .help = "Numeric address of /metrics, /healthz and /readyz; empty for none."},
};
const size_t admin_option_count = ARRAY_SIZE(admin_option_table);

int admin_options_check(const struct admin_options *options, struct err *e)
{
    struct address address;

    if (options->address[0] == '\0')
        return 0;
    int r = address_parse(options->address, &address, e);
    if (r < 0)
        err_context(e, "--admin-address '%s'", options->address);
    return r;
}

int admin_options_healthcheck(const struct admin_options *options, struct err *e)
{
    struct address address = {0};

    if (options->address[0] == '\0')
        return FAIL(e, EINVAL, "there is nobody to ask: --admin-address is empty");
    int r = address_parse(options->address, &address, e);
    return r < 0 ? r : healthcheck_run(address.host, address.port, e);
}
