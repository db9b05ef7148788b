"""Ports on the loopback address."""

import random
import socket

HOST = "127.0.0.1"

# Below the kernel's ephemeral ports (32768 and up), so that no outgoing connection takes a port
# between our look and the server's bind.
_FIRST, _LAST = 20000, 32000

# Of its own, so that a test that seeds the global generator does not make workers collide.
_random = random.SystemRandom()


def free_port():
    """A TCP port that nothing is bound to on 127.0.0.1."""
    for _ in range(1000):
        port = _random.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port between {_FIRST} and {_LAST}")


def accepts(port, host=HOST):
    """True when something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
