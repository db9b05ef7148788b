"""buoyctl apply."""

import json
import re
import time

import pytest

from harness import MqttClient, eventually
from harness.ctl import ABSENT, CONVERGED, PARTIAL, REASON, REJECTED, ROLLED_BACK, TIMEOUT, tree
from harness.waiting import scaled


def test_apply_publishes_and_waits(ctl, nodes, document, broker):
    node = nodes("press-7").complete_all()
    done = ctl("apply", document(), "--node", "press-7")
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout == "press-7: converged\n"
    sent = node.wait_for_document()
    assert sent["revision"] == 1 and sent["project"] == "line3"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", sent["id"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", sent["issued"])
    with MqttClient(broker) as late:
        late.subscribe("bellbuoy/nodes/+/desired/+")
        kept = eventually(lambda: late.messages and late.messages[0])
        assert kept.retain and json.loads(kept.payload) == sent


def test_each_apply_has_a_new_revision(ctl, nodes, document):
    node = nodes("press-7").complete_all()
    for _ in range(3):
        assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED
    assert [one["revision"] for one in node.documents] == [1, 2, 3]


def test_a_revision_is_above_what_a_node_reports(ctl, nodes, document):
    """A broker that lost its messages knows none; the node still does."""
    node = nodes("press-7").complete_all().set_project("line3", 41)
    node.report()
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED
    assert node.wait_for_document()["revision"] == 42


def test_a_given_revision(ctl, nodes, document):
    node = nodes("press-7").complete_all()
    assert ctl("apply", document(), "-n", "press-7", "--revision", 9).returncode == CONVERGED
    stale = ctl("apply", document(), "-n", "press-7", "--revision", 8)
    assert stale.returncode == REJECTED
    assert "stale: --revision 8 is below revision 9" in stale.stderr
    assert [one["revision"] for one in node.documents] == [9]


@pytest.mark.parametrize("phase, members, status, word", [
    ("COMPLETED", {}, CONVERGED, "converged"),
    ("REJECTED", {"accepted": False, "reason": REASON}, REJECTED, "rejected"),
    ("ROLLED_BACK", {"reason": REASON}, ROLLED_BACK, "rolled back"),
    ("STALLED", {"reason": REASON}, PARTIAL, "stalled"),
    ("INCOMPLETE", {"reason": REASON}, TIMEOUT, "timed out"),
])
def test_exit_status(ctl, nodes, document, phase, members, status, word):
    nodes("press-7").end_with(phase, **members)
    done = ctl("apply", document(), "-n", "press-7", "--timeout", "1s" if status == TIMEOUT else "20s")
    assert done.returncode == status, done.stderr
    assert done.stdout.startswith(f"press-7: {word}")
    if "reason" in members:
        assert REASON["message"] in done.stdout and REASON["advice"] in done.stdout


def test_absent_nodes_are_named_and_not_waited_for(ctl, nodes, document):
    nodes("press-7").complete_all()
    nodes("press-8", online=False)
    begin = time.monotonic()
    done = ctl("apply", document(), "--node", "press-7,press-8", "--node", "press-77")
    assert done.returncode == ABSENT
    assert time.monotonic() - begin < scaled(10)
    assert done.stdout.splitlines() == [
        "press-7: converged",
        "press-8: absent: offline; it takes the document when it is back",
        "press-77: absent: no manager of that name was ever seen; did you mean press-7?"]


def test_some_of_several(ctl, nodes, document):
    nodes("press-7").complete_all()
    nodes("press-8").end_with("ROLLED_BACK", reason=REASON)
    done = ctl("apply", document(), "-n", "press-7,press-8", "-o", "json")
    assert done.returncode == PARTIAL
    outcomes = {one["node"]: one for one in tree(done)["nodes"]}
    assert outcomes["press-7"]["outcome"] == "converged"
    assert outcomes["press-8"]["outcome"] == "rolled back"
    assert outcomes["press-8"]["reason"] == REASON


def test_a_group(ctl, nodes, document):
    members = [nodes(name, groups=[("presses", 10)]).complete_all() for name in ("press-7", "press-8")]
    other = nodes("saw-1").complete_all()
    done = ctl("apply", document(), "--group", "presses")
    assert done.returncode == CONVERGED, done.stderr
    assert sorted(done.stdout.splitlines()) == ["press-7: converged", "press-8: converged"]
    assert all(one.wait_for_document() for one in members) and not other.documents


def test_a_node_with_a_document_of_its_own_is_told(ctl, nodes, document):
    node = nodes("press-7", groups=[("presses", 10)]).set_project("line3", 4, source="node")
    node.report()
    done = ctl("apply", document(), "--group", "presses")
    assert done.returncode == PARTIAL
    assert "press-7: has its own document" in done.stdout


def test_a_group_that_nobody_is_in(ctl, nodes, document):
    nodes("press-7")
    done = ctl("apply", document(), "--group", "presses")
    assert done.returncode == ABSENT
    assert "no node of group presses is known" in done.stderr


def test_a_node_that_goes_and_comes_back_is_waited_for(ctl, nodes, document):
    node = nodes("press-7")

    def restart(sent, source):
        node.presence(False)
        node.presence(True, session=13)
        node.set_project("line3", sent["revision"], id=sent["id"])
        node.report()

    node.on_document(restart)
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED


def test_a_late_will_is_not_believed(ctl, nodes, document):
    node = nodes("press-7", session=5).complete_all()
    node.presence(False, session=4)
    assert tree(ctl("status", "-o", "json"))["nodes"][0]["presence"] == "unknown"
    node.presence(True)
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED


def test_without_waiting(ctl, nodes, document):
    node = nodes("press-7")
    done = ctl("apply", document(), "-n", "press-7", "--no-wait")
    assert done.returncode == CONVERGED and done.stdout == ""
    assert node.wait_for_document()


def test_wait_healthy_is_wait(ctl, nodes, document):
    nodes("press-7").complete_all()
    assert ctl("apply", document(), "-n", "press-7", "--wait", "healthy").returncode == CONVERGED
    assert ctl("apply", "--wait", document(), "-n", "press-7").returncode == CONVERGED


def test_policy(ctl, nodes, document):
    """Flags win over the file."""
    node = nodes("press-7").complete_all()
    path = document(policy={"drift": "report", "onFailure": "hold"})
    done = ctl("apply", path, "-n", "press-7", "--on-failure", "keep-partial", "--max-pull-parallel", 3)
    assert done.returncode == CONVERGED, done.stderr
    assert node.wait_for_document()["policy"] == {
        "drift": "report", "onFailure": "keep-partial", "maxPullParallel": 3}


def test_nothing_wrong_is_published(ctl, nodes, document):
    node = nodes("press-7").complete_all()
    done = ctl("apply", document({"web": {"imag": "x"}}), "-n", "press-7")
    assert done.returncode == REJECTED
    assert "/services/web/imag" in done.stderr and 'did you mean "image"' in done.stderr
    assert ctl("apply", document(), "-n", "press-7").returncode == CONVERGED
    assert len(node.documents) == 1


def test_an_empty_document_needs_to_be_meant(ctl, nodes, document):
    nodes("press-7").complete_all()
    assert ctl("apply", document({}), "-n", "press-7").returncode == REJECTED
    assert ctl("apply", document({}), "-n", "press-7", "--allow-empty").returncode == CONVERGED
