"""Building again: quick when nothing has changed, and the same whenever and with whichever builder."""

import os
import time

from harness import ROOT, scaled

from .engine import SERVICES

AGAIN_MAX_S = 5


def builder_stage(service):
    text = (ROOT / service / "Dockerfile").read_text()
    return text[text.index("ARG BASE="):text.index("ARG SOURCE_DATE_EPOCH")]


def test_the_builder_stage_is_the_same_everywhere():
    """Else it would be built once for each service."""
    assert len({builder_stage(service) for service in SERVICES}) == 1


def test_a_second_run_is_quick(build, images):
    times = []
    for _ in range(3):  # an edit or a commit meanwhile spoils one run
        start = time.monotonic()
        again = build("first")
        times.append(time.monotonic() - start)
    busy = max(1, os.getloadavg()[0] / os.cpu_count())
    assert min(times) <= scaled(AGAIN_MAX_S) * busy, times
    for service in SERVICES:
        assert again[service].layers() == images[service].layers()


def test_a_build_from_nothing_gives_the_same_layers(build, images):
    anew = build("anew", "--no-cache")
    for service in SERVICES:
        assert anew[service].inspect()["Id"] == images[service].inspect()["Id"], service


def test_the_legacy_builder_gives_the_same_layers(build, images):
    legacy = build("legacy", "--legacy")
    for service in SERVICES:
        assert legacy[service].layers() == images[service].layers(), service
        for key in ("User", "Entrypoint", "Healthcheck", "StopSignal", "ExposedPorts", "Labels", "Env"):
            assert legacy[service].inspect()["Config"].get(key) == \
                images[service].inspect()["Config"].get(key), f"{service} {key}"
