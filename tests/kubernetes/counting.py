"""Machines that send without pause, and how many of their messages there are."""

from harness import eventually

# Each machine sends so often; with three of them there is always something under way.
LOAD = ["--set", "broadcaster.profile=events", "--set", "broadcaster.env.BELLBUOY_PERIOD_MS=50",
        "--set", "broadcaster.replicas=3"]


def counted(deployment):
    """The deployment, from when on each message counts.

    What the first machines say before there was ever a receiver, the broker keeps for nobody: of those
    it is noted where the journal begins.
    """
    eventually(lambda: len(deployment.api.sources()) == 3, timeout_s=60)
    deployment.firsts = {key: min(seen) for key, seen in sequences(deployment.api).items()}
    return deployment


def count(api):
    return api.stats()["journal"]["events"]


def expect_more(deployment, more=100, timeout_s=90):
    """Messages go on to arrive."""
    before = eventually(lambda: count(deployment.api), timeout_s=timeout_s)
    eventually(lambda: count(deployment.api) > before + more, timeout_s=timeout_s)


def sequences(api):
    """{(source, boot): [sequence, ...]} as the journal has them."""
    found = {}
    for event in api.all_events():
        found.setdefault((event["source"], event["bootid"]), []).append(int(event["sequence"]))
    return found


def expect_nothing_missing(deployment):
    """The receiver misses none, and the journal has each sequence whole, from its first on."""
    eventually(lambda: deployment.api.stats()["totals"]["missing"] == 0, timeout_s=60)
    found = sequences(deployment.api)
    for key, seen in found.items():
        first = deployment.firsts.get(key, 1)
        assert sorted(seen) == list(range(first, first + len(seen))), key
    return sum(map(len, found.values()))
