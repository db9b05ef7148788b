#pragma once

/* Exit statuses of buoyctl, for scripts (docs/man/buoyctl.1). */

enum ctl_exit {
    CTL_CONVERGED = 0, /* done, and where it was waited for: as it should be */
    CTL_FAILED = 1,    /* the broker, a file, memory */
    CTL_USAGE = 2,
    CTL_REJECTED = 3,
    CTL_TIMEOUT = 4,
    CTL_PARTIAL = 5, /* some nodes, or some of a node's services */
    CTL_ROLLED_BACK = 6,
    CTL_ABSENT = 7, /* a node is offline, or was never seen */
};
