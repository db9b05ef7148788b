#pragma once

/* `broker check`: whether an installation refuses and carries what it should. `helm test` runs it
 * in the cluster, where the image of the broker is there and a shell is not. */

/* `argv` begins with "check". One line on stdout or stderr; returns the exit status: 0 when it is
 * as it should be, 1 when not, 2 for wrong options. */
int check_main(int argc, char **argv, char **environment);
