"""A place for one test's processes: starts them, ends them, and says what was wrong with them."""

from .broker import Broker
from .broker_service import BrokerService
from .services import Broadcaster, Receiver


class Lab:
    """Everything that its methods return is started and ready, unless start=False."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []

    def broker(self, start=True, **options):
        return self._add(Broker(self.folder, self._name(options, "broker"), **options), start)

    def broker_service(self, start=True, **options):
        name = self._name(options, "broker-service")
        return self._add(BrokerService(self.folder, name, **options), start)

    def receiver(self, broker=None, start=True, **options):
        name = self._name(options, "receiver")
        return self._add(Receiver(self.folder, broker, name, **options), start)

    def broadcaster(self, broker, start=True, **options):
        name = self._name(options, "broadcaster")
        return self._add(Broadcaster(self.folder, broker, name, **options), start)

    def logs(self):
        """The last lines of every process, for a failed test's report."""
        return [(f"log of {one.name}", one.log_tail(80)) for one in self.processes if one.popen]

    def close(self):
        """Ends everything, the last started first; fails when any process misbehaved."""
        problems = []
        for process in reversed(self.processes):
            problems += process.close()
        if problems:
            tails = [process.log_tail(60) for process in self.processes if process.popen]
            raise AssertionError("\n".join(problems + tails))

    def _name(self, options, default):
        """The given name, or broker, broker-2, broker-3 ..."""
        name = options.pop("name", None)
        if name:
            return name
        count = sum(one.name.startswith(default) for one in self.processes)
        return default if count == 0 else f"{default}-{count + 1}"

    def _add(self, process, start):
        # Known before its start, so that a start that fails is cleaned up and reported too.
        self.processes.append(process)
        return process.start() if start else process
