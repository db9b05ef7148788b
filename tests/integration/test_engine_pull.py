"""Pulls by the manager's own client of the engine, from a real registry and through one that fails."""

import base64
import json
import subprocess
import uuid

import pytest

from harness import BUILD_DIR, HOST, free_port
from harness.engine import need_engine
from harness.registry import Registry, RegistryProxy

PROBE = BUILD_DIR / "tests" / "unit" / "manager" / "engine_probe"


@pytest.fixture(scope="module")
def engine():
    return need_engine()


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    registry = Registry(tmp_path_factory.mktemp("registry")).start()
    yield registry
    assert registry.close() == []


@pytest.fixture
def repository(engine, registry):
    """One with an image of its own, tagged 1, whose layer no other image has."""
    name = f"bellbuoy-test/{uuid.uuid4().hex[:12]}"
    image = f"{name}:made"
    engine.tiny_image(image)
    registry.push(engine, image, name)
    engine.remove_image(image)
    yield name


@pytest.fixture
def proxy(registry):
    with RegistryProxy(registry) as proxy:
        yield proxy


class Pull:
    """What the client has told of one pull."""

    def __init__(self, engine, image, idle_ms=0, config=""):
        words = [PROBE, engine.socket, "pull", image, idle_ms, *([config] if config else [])]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=90,
                              check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.progress = [line for line in lines if "layers" in line]
        self.code = lines[-1]["code"]
        self.message = lines[-1]["message"]
        self.retry_after_ms = lines[-1]["retry_after_ms"]
        engine.remove_image(image)


def test_an_image_comes_with_its_progress(engine, registry, repository):
    image = f"{registry.address}/{repository}:1"
    pull = Pull(engine, image)
    assert (pull.code, pull.message) == ("none", "")
    last = pull.progress[-1]
    assert last["layers"] == last["done"] == 1
    assert last["current"] == last["total"] > 100_000


def test_an_image_that_is_not_there(engine, registry, repository):
    for image in (f"{repository}:2", "bellbuoy-test/none:1", f"{repository}@sha256:{'0' * 64}"):
        pull = Pull(engine, f"{registry.address}/{image}")
        assert pull.code == "pull-notfound", pull.message
        assert "not found" in pull.message


def test_credentials_are_wanted(engine, repository, registry, tmp_path):
    locked = Registry(tmp_path, "locked", users={"joe": "se:cret?>"}, storage=registry.storage).start()
    image = f"{locked.address}/{repository}:1"

    def config(password):
        path = tmp_path / "config.json"
        auth = base64.b64encode(f"joe:{password}".encode()).decode()
        path.write_text(json.dumps({"auths": {locked.address: {"auth": auth}}}))
        return path

    assert Pull(engine, image).code == "pull-auth"
    assert Pull(engine, image, config=config("wrong")).code == "pull-auth"
    assert Pull(engine, image, config=config("se:cret?>")).code == "none"
    assert Pull(engine, image, config=tmp_path / "none.json").code == "pull-auth"
    assert locked.close() == []


def test_no_registry_answers(engine):
    pull = Pull(engine, f"{HOST}:{free_port()}/bellbuoy-test/a:1")
    assert pull.code == "pull-network"
    assert "connection refused" in pull.message


@pytest.mark.parametrize(("status", "code", "message", "headers", "reason", "retry_after_ms"), [
    (403, "DENIED", "requested access to the resource is denied", {}, "pull-auth", 0),
    (429, "TOOMANYREQUESTS", "retry-after: 2.5s, allowed: 100/minute", {"Retry-After": "2"},
     "pull-ratelimit", 2500),
    (429, "TOOMANYREQUESTS", "You have reached your pull rate limit.", {"Retry-After": "2"},
     "pull-ratelimit", 0),
    (500, "UNKNOWN", "unknown error", {}, "pull-network", 0),
    (503, "UNAVAILABLE", "service unavailable", {}, "pull-network", 0),
])
def test_a_registry_refuses(engine, proxy, repository, status, code, message, headers, reason,
                            retry_after_ms):
    proxy.answer("/manifests/", status, code, message, headers)
    pull = Pull(engine, f"{proxy.address}/{repository}:1")
    assert (pull.code, pull.retry_after_ms) == (reason, retry_after_ms), pull.message


def test_a_registry_that_hangs_is_given_up(engine, proxy, repository):
    proxy.hang("/manifests/")
    pull = Pull(engine, f"{proxy.address}/{repository}:1", idle_ms=700)
    assert pull.code == "pull-network"
    assert pull.message.startswith("nothing came for 700 ms")


def test_a_registry_that_hangs_in_a_layer_is_given_up(engine, proxy, repository):
    proxy.hang_in_body("/blobs/", 100_000)
    pull = Pull(engine, f"{proxy.address}/{repository}:1", idle_ms=1500)
    assert pull.code == "pull-network", pull.message
    assert pull.message.startswith("nothing came for 1500 ms")
    assert pull.progress


def test_an_image_for_another_platform(engine, registry, repository):
    registry.put_for_platform(repository, "arm", "linux", "s390x")
    pull = Pull(engine, f"{registry.address}/{repository}:arm")
    assert pull.code == "arch", pull.message
    assert "no matching manifest" in pull.message
