"""What goes wrong around a node, by number; some of it is tried elsewhere:

 1 stale, duplicate, reordered message      here    12 name taken by a stranger  test_manager_rollback
 2 zero-length retained message             here    13 restarts while updated    here
 3 oversize, garbage, truncated             safety  14 ignores SIGTERM           here
 4 new revision in the middle of an apply   here    15 never healthy             test_manager_rollback
 5 reboot between two operations            resume  16 image tag moved           test_manager_drift
 6 broker away for long                     here    17 rm -f, docker update      test_manager_drift, here
 7 the clock jumps                          here    18 engine gone, streams cut  here
 8 a pull hangs                             here    19 port bound                test_manager_rollback
 9 a pull gets 401, 404, 429, 5xx           here    20 late will                 test_manager_presence
10 no disk, or too little                   here    21 crash during a long pull  here
11 a reply is lost                          here
"""

import random
import shutil
import subprocess
import uuid

import pytest

from harness import ROOT, eventually
from harness.registry import Registry, RegistryProxy

CLOCK_SHIFT = ROOT / "tests" / "harness" / "clock_shift.c"
MOBY_NO_ROOM = "write /var/lib/docker/tmp/x: no space left on device"


def web(node, value="1", **members):
    return {"web": node.service(environment={"A": value}, **members)}


def value_of(node):
    (value,) = [one for one in node.container("web")["Config"]["Env"] if one.startswith("A=")]
    return value[2:]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    registry = Registry(tmp_path_factory.mktemp("registry")).start()
    yield registry
    assert registry.close() == []


@pytest.fixture
def remote(registry, docker, images):
    """A proxy before a registry that has an image of its own; remote.image is its name by the proxy."""
    repository = f"bellbuoy-test/{uuid.uuid4().hex[:12]}"
    image = images.make(repository.rpartition("/")[2])
    registry.push(docker, image, repository)
    docker.remove_image(image)
    with RegistryProxy(registry) as proxy:
        proxy.image = f"{proxy.address}/{repository}:1"
        yield proxy
    docker.remove_image(proxy.image)


# ---- messages


def test_01_messages_come_twice_late_and_in_any_order(node):
    documents = [node.document(web(node, str(number))) for number in range(1, 6)]
    order = [*documents, *documents]
    random.Random(1).shuffle(order)
    for document in order:
        node.publish(document)
    node.wait(lambda p: p["converged"] and p["applied"]["revision"] == 5, "the highest revision")
    assert value_of(node) == "5"
    node.proxy.forget()
    for document in documents:
        node.publish(document)
    node.call("status")
    assert node.wait(lambda p: p["converged"], "converged")["applied"]["revision"] == 5
    assert node.proxy.writes == []


def test_02_an_empty_message_says_nothing(node):
    node.apply(web(node))
    before = node.id("web")
    node.publish("")
    report = node.wait(lambda p: p["source"] == "lost", "that it has no source")
    assert report["converged"] and report["applied"]["revision"] == 1
    node.engine.rm(node.name("web"))
    eventually(lambda: node.id("web") != before and node.running(), message="it is kept up")
    node.restart()
    assert node.wait_converged(1)["source"] == "lost"
    node.assert_runs_only("web")
    node.apply(web(node, "2"))
    assert node.project_report()["source"] == "node"


def test_04_a_newer_revision_comes_in_the_middle(node):
    node.apply({**web(node), "db": node.service()})
    db = node.id("db")
    hung = node.proxy.hang("POST /containers/.*/start")
    node.offer({**web(node, "2"), "db": node.service()})
    eventually(lambda: hung.hits, message="the start is under way")
    newest = {**web(node, "3"), "db": node.service()}
    node.offer(web(node, "unwanted"))
    node.offer(newest)
    hung.release()
    node.wait_converged(4)
    assert value_of(node) == "3"
    assert node.id("db") == db
    node.assert_runs_only("web", "db")


def test_04_a_newer_revision_ends_waiting(node):
    node.apply(web(node))
    node.offer(web(node, "2", uptime="1h"))
    node.wait_phase("VERIFYING", 2)
    node.apply(web(node, "3"))
    assert value_of(node) == "3"
    node.assert_runs_only("web")


def test_06_the_broker_is_away(make_node, lab):
    node = make_node(broker=lab.broker())
    node.apply(web(node))
    before = node.id("web")
    node.broker.terminate()
    node.manager.kill()
    node.engine.rm(node.name("web"))
    node.manager.start()
    eventually(lambda: node.id("web") != before and node.running(), message="it goes on from its copy")
    node.forget_session()
    node.broker.start()
    node.connect()
    node.wait_online()
    node.wait_converged(1)
    node.apply(web(node, "2"))
    assert value_of(node) == "2"


# ---- the clock


@pytest.fixture(scope="module")
def clock_shift(tmp_path_factory):
    """The library that shifts a program's wall clock; skips without a compiler."""
    compiler = shutil.which("cc") or pytest.skip("no compiler")
    library = tmp_path_factory.mktemp("clock") / "clock_shift.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, CLOCK_SHIFT, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("hours", [30, -30])
def test_07_the_clock_jumps(make_node, clock_shift, tmp_path, hours):
    shift = tmp_path / "shift"
    shift.write_text("0")
    node = make_node(env={"LD_PRELOAD": str(clock_shift), "CLOCK_SHIFT_FILE": str(shift),
                          "ASAN_OPTIONS": "verify_asan_link_order=0"})
    node.apply(web(node, uptime="300ms"))
    shift.write_text(str(hours * 3600))
    node.engine.docker("stop", node.name("web"))
    eventually(lambda: not node.project_report()["converged"] or not node.running())
    report = node.apply(web(node, "2", uptime="300ms", restart="unless-stopped"))
    assert report["applied"]["revision"] == 2
    before = node.id("web")
    node.engine.rm(node.name("web"))
    eventually(lambda: node.id("web") != before and node.running(), message="drift is mended")
    # Not by its uptime: only the manager's clock jumps here, and the engine's says when it began.
    node.offer({"web": node.service(healthcheck={"test": ["CMD", "false"], "interval": "100ms",
                                                 "retries": 2})})
    node.wait_rolled_back(2, "unhealthy")
    shift.write_text("0")
    node.apply(web(node, "3", uptime="300ms"))
    node.assert_runs_only("web")


# ---- pulls


def test_08_a_pull_hangs(node, remote):
    """What runs is kept up meanwhile, and a newer revision does not wait for it."""
    node.apply(web(node))
    before = node.id("web")
    remote.hang_in_body("GET /v2/.*/blobs/", after_bytes=100)
    node.offer(web(node, "2", image=remote.image))
    node.wait_phase("DOWNLOADING", 2)
    assert node.running() == {node.name("web")}
    assert node.id("web") == before
    node.apply(web(node, "3"))
    assert value_of(node) == "3"
    node.assert_runs_only("web")


@pytest.mark.parametrize("status, code, phase", [
    (401, "pull-auth", "ROLLED_BACK"), (403, "pull-auth", "ROLLED_BACK"),
    (404, "pull-notfound", "ROLLED_BACK"), (429, "pull-ratelimit", "INCOMPLETE"),
    (500, "pull-network", "INCOMPLETE"),
])
def test_09_a_registry_refuses(node, remote, status, code, phase):
    node.apply(web(node))
    before = node.id("web")
    codes = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN", 429: "TOOMANYREQUESTS"}
    remote.answer("GET /v2/.*/manifests/|HEAD /v2/.*/manifests/", status, codes.get(status, "UNKNOWN"),
                  "no")
    node.offer(web(node, "2", image=remote.image))
    report = node.wait(lambda p: p["phase"] == phase and p["reason"] and p["reason"]["code"] == code,
                       f"{phase} for {code}")
    assert report["reason"]["engine"]
    assert report["applied"]["revision"] == 1
    assert (report["nextRetry"] is not None) == (phase == "INCOMPLETE")
    node.assert_runs_only("web")
    assert node.id("web") == before


def test_09_a_pull_that_failed_for_now_goes_on_by_itself(node):
    node.apply(web(node))
    name = node.images.unique()
    node.proxy.answer("POST /images/create", 500, "received unexpected HTTP status: 503", times=2)
    node.offer(web(node, "2", image=name))
    node.wait_phase("INCOMPLETE", 2)
    node.engine.docker("tag", node.images.two, name)
    node.wait_converged(2)
    assert node.container("web")["Image"] == node.engine.image_id(node.images.two)


def test_09_the_time_to_try_again_comes_while_it_looks(node):
    """The first backoff is 1 s at most, and each look takes 2 s."""
    node.apply(web(node))
    name = node.images.unique()
    node.proxy.answer("POST /images/create", 500, "received unexpected HTTP status: 503", times=1)
    slow = node.proxy.delay("GET /networks", 2.0, times=None)
    node.offer(web(node, "2", image=name))
    node.wait_phase("INCOMPLETE", 2)
    node.engine.docker("tag", node.images.two, name)
    node.wait_converged(2)
    assert slow.hits > 0


@pytest.mark.parametrize("request_", ["POST /images/create", "POST /containers/create"])
def test_10_the_disk_is_full(node, request_):
    node.apply(web(node))
    before = node.id("web")
    node.proxy.answer(request_, 500, MOBY_NO_ROOM, times=None)
    image = f"bellbuoy-test/none:{node.project}" if "images" in request_ else None
    node.offer(web(node, "2", image=image))
    report = node.wait_reason("disk")
    assert report["reason"]["engine"] == MOBY_NO_ROOM
    node.wait(lambda p: p["applied"]["revision"] == 1, "the revision of before")
    assert node.id("web") == before
    assert node.running() == {node.name("web")}
    node.proxy.clear()
    node.apply(web(node, "3"))
    node.assert_runs_only("web")


def test_10_too_little_disk_is_told_before_a_pull(node):
    node.apply(web(node))
    node.proxy.forget()
    node.offer(web(node, "2", image=f"bellbuoy-test/none:{node.project}"),
               policy={"minFreeDisk": "500TiB"})
    report = node.wait_reason("disk")
    assert report["applied"]["revision"] == 1
    assert node.proxy.writes == []
    node.assert_runs_only("web")


# ---- containers and the engine


@pytest.mark.parametrize("request_", [
    "POST /networks/create", "POST /volumes/create", "POST /containers/create", "/rename", "/start",
    "/stop", "/update", "DELETE /containers/", "DELETE /networks/", "/connect",
])
def test_11_a_reply_is_lost(node, request_):
    """The engine has done it and the manager does not know."""
    mount = {"type": "volume", "source": "data", "target": "/data"}

    def publish(value):
        networks = ("x", "y") if value == "2" else ("x", "z")
        node.offer(web(node, value, networks={name: None for name in networks}, volumes=[mount],
                       restart="always"),
                   networks={name: None for name in networks}, volumes={"data": None})

    faults = [node.proxy.lose_reply(request_)]
    for value in ("2", "3"):
        publish(value)
        node.wait_converged(node.revision, timeout_s=20)
    assert faults[0].hits == 1
    assert value_of(node) == "3"
    node.assert_runs_only("web")
    assert node.networks() == {f"{node.project}_x", f"{node.project}_z"}
    assert node.volumes() == {f"{node.project}_data"}


def test_13_a_container_that_restarts_is_updated(node):
    node.apply({"web": node.service("sleep 0.3; exit 1", restart="always")})
    eventually(lambda: node.container("web")["RestartCount"] > 0, message="it restarts")
    node.apply(web(node, "2", restart="always"))
    assert value_of(node) == "2"
    node.assert_runs_only("web")


def test_13_what_restarts_is_told(node):
    node.apply({"web": node.service("sleep 0.3; exit 7", restart="always")})
    report = node.wait(lambda p: p["services"]["web"]["restarts"] > 0, "its restarts")
    last = report["services"]["web"]["containers"][0]["lastExit"]
    # The engine forgets the code of a container that runs again.
    assert last is None or last["code"] == 7


def test_14_a_container_ignores_sigterm(node):
    stubborn = {"stop_signal": "SIGTERM", "stop_grace_period": "1s"}
    node.apply(web(node, **stubborn))
    node.apply(web(node, "2", **stubborn))
    assert value_of(node) == "2"
    node.apply({}, policy={"allowEmpty": True})
    assert node.names() == set()


def test_17_a_container_vanishes_in_the_middle_of_an_update(node):
    """That is no failure of the new revision."""
    node.apply(web(node))
    before = node.id("web")
    hung = node.proxy.hang("POST /containers/.*/rename")
    node.offer(web(node, "2"))
    eventually(lambda: hung.hits, message="the old one is about to be renamed")
    node.engine.rm(before)
    hung.release()
    node.wait_converged(2)
    assert value_of(node) == "2"
    node.assert_runs_only("web")


def test_18_the_engine_goes_and_comes_back(node):
    node.apply({**web(node, restart="unless-stopped"), "db": node.service()})
    node.proxy.stop()
    eventually(lambda: node.report["engine"]["state"] == "down", message="that the engine is down")
    assert node.report["engine"]["reason"]
    # As a restart of the engine: what has no restart policy is down.
    node.engine.rm(node.name("web"))
    node.offer({**web(node, "2", restart="unless-stopped"), "db": node.service()})
    node.wait(lambda p: p["desired"]["revision"] == 2, "the new revision")
    node.proxy.start()
    node.wait_converged(2)
    node.assert_runs_only("web", "db")
    assert value_of(node) == "2"


def test_18_the_engine_hangs(node):
    node.apply(web(node))
    hung = node.proxy.hang("POST /containers/create")
    node.offer(web(node, "2"))
    eventually(lambda: hung.hits)
    node.proxy.cut_all()
    hung.release()
    node.wait_converged(2)
    node.assert_runs_only("web")
    assert value_of(node) == "2"


def test_18_the_events_are_cut(node):
    node.apply(web(node, restart="unless-stopped"))
    before = node.id("web")
    node.proxy.refuse("GET /events", times=2)
    node.proxy.cut_all("GET /events")
    node.engine.rm(node.name("web"))
    eventually(lambda: node.id("web") != before and node.running(), message="it is seen all the same")
    node.engine.docker("stop", node.name("web"))
    eventually(lambda: node.running() == {node.name("web")}, message="and seen again")


@pytest.mark.parametrize("harm", ["rm", "kill"])
def test_21_a_service_crashes_while_a_long_pull_goes_on(node, remote, harm):
    node.apply(web(node, restart="unless-stopped"))
    before = node.id("web")
    remote.hang_in_body("GET /v2/.*/blobs/", after_bytes=100)
    node.offer(web(node, "2", image=remote.image, restart="unless-stopped"))
    node.wait_phase("DOWNLOADING", 2)
    if harm == "rm":
        node.engine.rm(node.name("web"))
        eventually(lambda: node.id("web") != before and node.running(), message="it is there again")
    else:
        node.engine.docker("stop", node.name("web"))
        eventually(lambda: node.running() == {node.name("web")}, message="it runs again")
    assert node.project_report()["phase"] == "DOWNLOADING"
    assert value_of(node) == "1"
    remote.release()
    node.wait_converged(2)
    assert value_of(node) == "2"
    assert node.container("web")["Image"] == node.engine.image_id(remote.image)
    node.assert_runs_only("web")
