"""Updates that wait for their time, and repairs that are given up."""

from datetime import datetime, timedelta, timezone

import pytest

from harness.waiting import eventually


def web(node, value="1", **members):
    return {"web": node.service(environment={"A": value}, **members)}


def value_of(node):
    (value,) = [one for one in node.container("web")["Config"]["Env"] if one.startswith("A=")]
    return value[2:]


def closed_window():
    """Open for a minute, half a day from now."""
    then = datetime.now(timezone.utc) + timedelta(hours=12)
    return {"cron": f"{then.minute} {then.hour} * * *", "duration": "1m", "zone": "utc"}


def waits(node):
    return node.wait(lambda p: p["phase"] == "WAITING" and p["desired"]["revision"] == 2 and
                     p["reason"] and p["reason"]["code"] == "window", "that revision 2 waits")


def is_kept_up(node):
    """What was good before is, while the new revision waits."""
    before = node.id("web")
    node.engine.rm(node.name("web"))
    eventually(lambda: node.id("web") != before and node.running() == {node.name("web")},
               message="it is there again")
    assert value_of(node) == "1"


def test_an_update_waits_for_its_window(node):
    node.apply(web(node))
    node.offer(web(node, "2"), policy={"window": closed_window()})
    report = waits(node)
    assert report["nextRetry"] and report["applied"]["revision"] == 1
    is_kept_up(node)
    node.restart()
    waits(node)
    assert value_of(node) == "1"
    node.apply(web(node, "3"))
    assert value_of(node) == "3"


def test_an_update_goes_on_within_its_window(node):
    node.apply(web(node), policy={"window": {"cron": "* * * * *", "duration": "5m"}})
    node.assert_runs_only("web")


@pytest.mark.parametrize("restart", [False, True])
def test_an_update_waits_until_it_may_begin(node, restart):
    node.apply(web(node))
    begin = datetime.now(timezone.utc) + timedelta(seconds=3)
    node.offer(web(node, "2"), notBefore=begin.strftime("%Y-%m-%dT%H:%M:%SZ"))
    waits(node)
    if restart:
        node.restart()
    node.wait_converged(2)
    # The engine's time has more digits than Python reads.
    created = datetime.fromisoformat(node.container("web")["Created"][:19]).replace(tzinfo=timezone.utc)
    assert created >= begin.replace(microsecond=0) - timedelta(seconds=1)
    assert value_of(node) == "2"


def test_what_does_not_come_to_rest_is_given_up(node):
    """Somebody moves the image's name forth and back: after three times it stays as it is."""
    name = node.images.unique()
    images = (node.images.one, node.images.two)
    node.engine.docker("tag", images[0], name)
    node.apply(web(node, image=name))
    for number in range(1, 4):
        node.engine.docker("tag", images[number % 2], name)
        wanted = node.engine.image_id(name)
        eventually(lambda wanted=wanted: node.container("web")["Image"] == wanted and
                   node.running() == {node.name("web")}, message=f"it follows, time {number}")
        node.wait_converged()
    before = node.id("web")
    node.engine.docker("tag", images[0], name)
    report = node.wait_reason("breaker")
    assert not report["converged"] and "another one" in report["reason"]["message"]
    assert node.id("web") == before
    node.call("retry")
    eventually(lambda: node.id("web") != before, message="a person's word ends it")
    node.wait_converged()
    node.assert_runs_only("web")
