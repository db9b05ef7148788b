"""What the tests of buoyctl share: its exit statuses, its output read, a terminal for it."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time

from .process import service_environment
from .waiting import scaled

CONVERGED, FAILED, USAGE, REJECTED, TIMEOUT, PARTIAL, ROLLED_BACK, ABSENT = range(8)
REASON = {"code": "pull-notfound", "service": "web", "message": "web: there is no image x:1",
          "advice": "Push it first.", "engine": None}


def tree(done):
    return json.loads(done.stdout)




def working(node, revision=1):
    """What is seen, and what the node then does: the steps of an apply with a pull."""
    def pull(current):
        node.progress("line3", revision, "DOWNLOADING", 1, 3, "pulling x:1",
                      [{"image": "x:1", "state": "pulling", "current": current, "total": 4000000}])

    def complete():
        node.set_project("line3", revision, id=node.documents[-1]["id"])
        node.report()

    return [
        ("waiting for the node", lambda: pull(1000000)),
        ("DOWNLOADING", lambda: pull(2000000)),
        ("DOWNLOADING", lambda: node.progress("line3", revision, "UPDATING", 2, 3, "creating line3-web-1")),
        ("UPDATING", lambda: node.progress("line3", revision, "UPDATING", 3, 3, "creating line3-web-1")),
        ("UPDATING", complete),
    ]


def on_terminal(argv, env=None, size=(24, 80), timeout_s=30, steps=()):
    """Runs it with stdout and stderr on a terminal; the status and all that it wrote. Each of `steps`
    is what must be seen after the step before, and then done."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen(list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=side, stderr=side,
                               env=service_environment({"TERM": "xterm", **(env or {})}))
    os.close(side)
    written = b""
    steps, begin = list(steps), 0
    deadline = time.monotonic() + scaled(timeout_s)
    while time.monotonic() < deadline:
        if not select.select([main], [], [], 1)[0]:
            continue
        try:
            more = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        written += more
        while steps and steps[0][0].encode() in written[begin:]:
            begin = len(written)
            steps.pop(0)[1]()
    os.close(main)
    return process.wait(10), written.decode()
