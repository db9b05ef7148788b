# shellcheck shell=bash
# Who listens on a loopback port, read from /proc so that no further package is needed. Sourced.

# port_inode PORT: the socket of the listener that gets connections to localhost, or nothing. The
# addresses are 0.0.0.0, 127.0.0.1, ::, ::1 and ::ffff:127.0.0.1 as the kernel writes them.
port_inode() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf '%04X' "$1")" '
        BEGIN {
            zeros = "000000000000000000000000"
            local["00000000"] = local["0100007F"] = local[zeros "00000000"] = 1
            local[zeros "01000000"] = local["0000000000000000FFFF00000100007F"] = 1
        }
        { split($2, end, ":") }
        $4 == "0A" && end[2] == port && end[1] in local { print $10; exit }'
}

# port_listener PORT: "PID COMMAND LINE" of the process that listens there; status 1 when nobody does.
# Other users' processes cannot be looked into: the answer is then "-".
port_listener() {
    local inode link pid
    inode=$(port_inode "$1")
    [[ -n $inode ]] || return 1
    link=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" -print -quit 2>/dev/null) || true
    if [[ -z $link ]]; then
        echo "-"
        return
    fi
    pid=${link#/proc/}
    pid=${pid%%/*}
    printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
}

# port_free: a port that nobody listens on, below those that the kernel gives to outgoing connections.
port_free() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 12000))
        if [[ -z $(port_inode "$port") ]]; then
            echo "$port"
            return
        fi
    done
    return 1
}
