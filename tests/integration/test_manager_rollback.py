"""An update that does not become good: what ran before comes back, and the revision is not tried again."""

import pytest

from harness import HOST, free_port
from harness.waiting import eventually

QUICK = {"interval": "100ms", "timeout": "1s", "retries": 2}


def good(node):
    """Two services that run, as revision 1; their ids."""
    node.apply({"web": node.service(), "db": node.service()})
    return {service: node.id(service) for service in ("web", "db")}


def failing(node, web):
    """Publishes revision 2, which only changes web."""
    return node.offer({"web": web, "db": node.service()})


def assert_back(node, ids):
    node.assert_runs_only("web", "db")
    assert {service: node.id(service) for service in ids} == ids


def unhealthy(node):
    return node.service(healthcheck={"test": ["CMD", "false"], **QUICK})


def never_healthy(node):
    check = {"test": ["CMD", "false"], "interval": "100ms", "start_period": "1h", "retries": 1000}
    return node.service(healthcheck=check, policy={"healthyWithin": "500ms"})


def invalid_command(node):
    return node.service(["/nowhere/to/be/found"])


def ends_at_once(node):
    return node.service("echo last words; exit 3", uptime="60s")


@pytest.mark.parametrize("web, code", [
    (ends_at_once, "exited"), (unhealthy, "unhealthy"), (never_healthy, "unhealthy"),
    (invalid_command, "invalid"),
])
def test_a_service_that_is_not_good_is_rolled_back(node, web, code):
    ids = good(node)
    failing(node, web(node))
    report = node.wait_rolled_back(1)
    assert report["reason"]["code"] == code
    assert report["reason"]["service"] == "web"
    assert report["reason"]["message"] and report["reason"]["advice"]
    assert report["desired"]["revision"] == 2 and report["lastGood"]["revision"] == 1
    assert_back(node, ids)
    assert node.report["counters"]["rollbacks"] == 1


def test_too_little_memory_is_told(node):
    web = node.service(["tail", "/dev/zero"], mem_limit="8M", uptime="60s")
    node.offer({"web": web}, policy={"onFailure": "hold"})
    report = node.wait_phase("STALLED")
    state = node.container("web")["State"]
    # An engine in a container of its own may not be told by the kernel.
    assert report["reason"]["code"] == ("oom" if state["OOMKilled"] else "exited")
    (container,) = report["services"]["web"]["containers"]
    assert container["lastExit"]["code"] == 137
    assert container["lastExit"]["oom"] == state["OOMKilled"]


def test_the_last_words_are_told(node):
    good(node)
    failing(node, ends_at_once(node))
    reason = node.wait_rolled_back(1)["reason"]
    assert "code 3" in reason["message"]
    assert reason["engine"] == "last words"


def test_a_bound_port_is_rolled_back(node):
    ids = good(node)
    port = free_port()
    stranger = node.engine.run(node.images.one, options=["--publish", f"{HOST}:{port}:80"])
    try:
        failing(node, node.service(ports=[{"target": 80, "published": str(port), "host_ip": HOST}]))
        node.wait_rolled_back(1, "port-conflict")
        assert_back(node, ids)
        assert node.engine.inspect(stranger)[0]["State"]["Running"]
    finally:
        node.engine.rm(stranger)


def test_a_taken_name_is_rolled_back(node):
    ids = good(node)
    name = f"{node.project}-stranger"
    stranger = node.engine.run(node.images.one, options=["--name", name])
    try:
        failing(node, node.service(container_name=name))
        node.wait_rolled_back(1, "name-conflict")
        assert_back(node, ids)
        assert node.engine.inspect(name)[0]["Id"] == stranger
        assert node.engine.inspect(name)[0]["State"]["Running"]
    finally:
        node.engine.rm(stranger)


def test_a_missing_image_leaves_all_as_it_is(node):
    ids = good(node)
    node.proxy.forget()
    failing(node, node.service(image=f"bellbuoy-test/none:{node.project}", pull_policy="never"))
    node.wait_rolled_back(1, "pull-notfound")
    assert_back(node, ids)
    assert not [write for write in node.proxy.writes if "/containers" in write.path]


def test_a_first_revision_that_fails_leaves_nothing(node):
    node.offer({"web": ends_at_once(node), "db": node.service(networks={"back": None})},
               networks={"back": None})
    report = node.wait_phase("ROLLED_BACK")
    assert report["reason"]["code"] == "exited"
    assert report["applied"] is None
    eventually(lambda: node.names() == set() and node.networks() == set(), message="all is gone")


def test_changed_networks_are_rolled_back(node):
    def web(**members):
        return {"web": node.service(networks={"front": None}, **members)}

    node.apply(web(), networks={"front": None})
    node.offer(web(command="exit 3", uptime="60s"), networks={"front": {"internal": True}})
    node.wait_rolled_back(1, "exited")
    (network,) = node.engine.inspect(f"{node.project}_front")
    assert network["Internal"] is False
    assert list(network["Containers"]) == [node.id("web")]
    node.assert_runs_only("web")


def test_several_services_go_back_together(node):
    services = {name: node.service() for name in ("a", "b", "c")}
    node.apply(services)
    ids = {name: node.id(name) for name in services}
    changed = {name: node.service(environment={"A": "1"}) for name in ("a", "b")}
    node.offer({**changed, "c": node.service("exit 3", uptime="60s", depends_on={"a": {}, "b": {}}),
                "d": node.service()})
    node.wait_rolled_back(1, "exited")
    node.assert_runs_only("a", "b", "c")
    assert {name: node.id(name) for name in services} == ids


# ---- other policies


def test_hold_leaves_it_as_it_failed(node):
    good(node)
    node.offer({"web": ends_at_once(node), "db": node.service()}, policy={"onFailure": "hold"})
    report = node.wait_phase("STALLED", 2)
    assert report["reason"]["code"] == "exited"
    assert report["applied"]["revision"] == 1 and not report["converged"]
    assert node.running() == {node.name("db")}
    assert node.container("web")["State"]["ExitCode"] == 3
    node.restart()
    assert node.wait_phase("STALLED", 2)["reason"]["code"] == "exited"
    node.apply({"web": node.service(), "db": node.service()})
    node.assert_runs_only("web", "db")


def test_keep_partial_keeps_what_is_good(node):
    good(node)
    node.offer({"web": ends_at_once(node), "db": node.service(environment={"A": "1"})},
               policy={"onFailure": "keep-partial"})
    node.wait_phase("STALLED", 2)
    assert node.running() == {node.name("db")}
    assert "A=1" in node.container("db")["Config"]["Env"]


def test_compose_names_the_policy_too(node):
    node.apply({"web": node.service()})
    node.offer({"web": node.service(
        "exit 3", uptime="60s", deploy={"update_config": {"failure_action": "pause"}})})
    assert node.wait(lambda p: p["phase"] in ("STALLED", "ROLLED_BACK"), "an end")["phase"] == "STALLED"


def test_too_long_an_apply_fails(node):
    ids = good(node)
    node.offer({"web": node.service(uptime="1h", environment={"A": "1"}), "db": node.service()},
               policy={"progressDeadline": "1s"})
    node.wait_rolled_back(code="timeout")
    assert_back(node, ids)


# ---- quarantine


def test_a_failed_revision_is_not_tried_again(make_node, lab):
    node = make_node(broker=lab.broker())
    ids = good(node)
    document = failing(node, ends_at_once(node))
    node.wait_rolled_back(1)
    node.proxy.forget()
    node.restart()
    node.wait_rolled_back(1, "exited")
    node.broker.restart()
    node.connect()
    node.wait_heard()
    node.wait_rolled_back(1, "exited")
    node.publish(document)
    node.publish(document)
    node.call("status")
    assert not [write for write in node.proxy.writes if write.path == "/containers/create"]
    assert_back(node, ids)


def test_a_failed_revision_is_tried_again_on_request(node):
    node.apply({"web": node.service()})
    name = node.images.unique()
    node.offer({"web": node.service(image=name, pull_policy="never")})
    node.wait_rolled_back(1, "pull-notfound")
    node.engine.docker("tag", node.images.two, name)
    node.call("retry")
    node.wait_converged(2)
    assert node.container("web")["Image"] == node.engine.image_id(node.images.two)
    node.assert_runs_only("web")


def test_a_newer_revision_ends_the_quarantine(node):
    good(node)
    failing(node, ends_at_once(node))
    node.wait_rolled_back(1)
    node.apply({"web": node.service(environment={"A": "1"}), "db": node.service()})
    node.assert_runs_only("web", "db")
    assert node.project_report()["reason"] is None


def test_what_ran_before_and_is_stopped_is_given_another_chance(node):
    """As by a stop of a manager that was killed: the engine goes on with it after the next one has looked."""
    node.offer({"web": node.service(uptime="4s", restart="unless-stopped")})
    eventually(node.running, message="it runs, and is not good yet")
    node.stop(kill=True)
    node.progress.clear()
    node.start()
    eventually(lambda: any("verify" in str(one) for one in node.progress), message="it is looked at")
    node.engine.docker("stop", node.name("web"))
    node.wait_converged(1)
    assert node.report["counters"]["rollbacks"] == 0
    node.assert_runs_only("web")
