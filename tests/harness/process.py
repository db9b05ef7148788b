"""One operating system process under test, ended by its own pid and never by name."""

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from .logs import parse_lines
from .waiting import PATIENCE_S, eventually, scaled

# What the sanitizers write into a process's stderr when they have found something.
SANITIZER_REPORT = re.compile(
    r"ERROR: (?:Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:"
)

_SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:check_initialization_order=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "exitcode=99",
}


def service_environment(extra=None):
    """The environment for a binary under test: ours without BELLBUOY_*, with sanitizer options.

    What the caller's environment says of the sanitizers is added after ours and so wins.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("BELLBUOY_")}
    for name, value in _SANITIZER_OPTIONS.items():
        env[name] = ":".join(filter(None, (value, env.get(name))))
    env.update(extra or {})
    return env


class Process:
    """Starts argv with stdout and stderr in one log file; may be started again after its end."""

    stdin = subprocess.DEVNULL

    def __init__(self, name, argv, folder, env=None):
        self.name = name
        self.argv = [str(arg) for arg in argv]
        self.env = service_environment(env)
        self.log_path = folder / f"{name}.log"
        self.popen = None
        self.problems = []
        self._start_offset = 0
        self._ended_by_test = None

    def __repr__(self):
        return f"<{self.name} pid {self.pid}>"

    @property
    def pid(self):
        return self.popen.pid if self.popen else None

    @property
    def running(self):
        return self.popen is not None and self.popen.poll() is None

    @property
    def exit_status(self):
        """The last run's status: None while it runs, negative for a signal."""
        return self.popen.poll() if self.popen else None

    def launch(self):
        """Starts the process without waiting for anything."""
        assert not self.running, f"{self.name} runs already"
        self._start_offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._ended_by_test = None
        with self.log_path.open("ab") as log:
            self.popen = subprocess.Popen(
                self.argv, stdin=self.stdin, stdout=log, stderr=log, env=self.env
            )
        return self

    def wait(self, timeout_s=PATIENCE_S):
        """Waits for its end and returns the exit status."""
        return self.popen.wait(scaled(timeout_s))

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        """kill -9, as a crash would be."""
        self._end(signal.SIGKILL, -signal.SIGKILL, 10)

    def terminate(self, timeout_s=6.0):
        """SIGTERM; a status other than 0, or a process that does not end, is a problem."""
        self._end(signal.SIGTERM, 0, timeout_s)

    def pause(self):
        """SIGSTOP: the process stays connected and does nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def expect_exit(self, status, timeout_s=PATIENCE_S):
        """Waits for an end that the test has caused in another way, and checks its status."""
        self._ended_by_test = status
        actual = self.wait(timeout_s)
        assert actual == status, f"{self.name} ended with {actual}, not {status}\n{self.log_tail()}"

    def _end(self, number, expected, timeout_s):
        if not self.running:
            return
        self._ended_by_test = expected
        # For one that is paused; a crash does not wake it. Never after `number`: SIGCONT takes back the
        # SIGSTOP by which LeakSanitizer, at the process's end, halts it, and that then waits for ever.
        if number != signal.SIGKILL:
            self.popen.send_signal(signal.SIGCONT)
        self.popen.send_signal(number)
        try:
            self.popen.wait(scaled(timeout_s))
        except subprocess.TimeoutExpired:
            self.problems.append(f"{self.name} did not end within {scaled(timeout_s):g} s; its "
                                 f"threads: {self._threads()}; the machine's load: {os.getloadavg()}")
            self.popen.kill()
            self.popen.wait()

    def _threads(self):
        """What each thread waits for: its state and where in the kernel it is."""
        found = []
        for path in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                state = (path / "stat").read_text().rpartition(") ")[2][0]
                found.append(f"{path.name} {state} {(path / 'wchan').read_text()}")
            except OSError:
                continue
        return ", ".join(found)

    def log_text(self, all_runs=False):
        """What the present run (or all) has written to stdout and stderr."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(0 if all_runs else self._start_offset)
            return log.read().decode("utf-8", "replace")

    def log_tail(self, lines=40):
        tail = self.log_text(all_runs=True).splitlines()[-lines:]
        return "\n".join([f"--- {self.name}: {shlex.join(self.argv)}", *tail])

    def log_records(self, **pairs):
        """The present run's log lines as dicts, those that bear all the given pairs."""
        return [
            record
            for record in parse_lines(self.log_text())
            if all(record.get(key) == str(value) for key, value in pairs.items())
        ]

    def wait_for_log(self, pattern, timeout_s=PATIENCE_S):
        """Waits until the present run's log matches the regular expression; returns the match."""

        def matches():
            found = re.search(pattern, self.log_text())
            assert found or self.running, f"{self.name} ended with {self.exit_status}"
            return found

        return eventually(matches, timeout_s, message=f"{pattern!r} in {self.name}'s log")

    def resident_bytes(self):
        """The process's resident memory now."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def open_files(self):
        """The number of its file descriptors now."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def close(self):
        """Ends the process if it runs; returns everything that was wrong with it."""
        if self.popen is None:
            return self.problems
        died = None if self.running or self._ended_by_test is not None else self.exit_status
        self.terminate()
        if died is not None:
            self.problems.append(f"{self.name} ended by itself with status {died}")
        elif self.exit_status != self._ended_by_test:
            self.problems.append(
                f"{self.name} ended with status {self.exit_status}, not {self._ended_by_test}"
            )
        if SANITIZER_REPORT.search(self.log_text(all_runs=True)):
            self.problems.append(f"a sanitizer has something to say about {self.name}")
        return self.problems
