"""buoyctl with a real manager on a real engine: from a compose file to containers and back."""

import json
import threading

import pytest

from harness import BUOYCTL, eventually, run_once
from harness.ctl import CONVERGED, REJECTED, ROLLED_BACK
from harness.services import flags, login_flags


@pytest.fixture
def ctl(node, tmp_path):
    """ctl("apply", ...): asks that node about its project."""

    def run(command, *args, project=True, timeout_s=120):
        about = ["--node", node.node] + (["--project", node.project] if project else [])
        return run_once(BUOYCTL, command, *args, *about, *flags(**login_flags(node.broker)),
                        timeout_s=timeout_s)

    return run


@pytest.fixture
def compose(node, tmp_path):
    """compose("command"): a compose file, in its short syntax, with one service."""

    def write(script="exec sleep 1000", more=""):
        path = tmp_path / "compose.yaml"
        path.write_text(f"""
name: {node.project}
x-common: &common
  image: {node.images.one}
  stop_grace_period: 1s
services:
  web:
    <<: *common
    command: ["sh", "-c", {json.dumps(script)}]
    environment: ["A=${{UNSET:-1}}"]
    network_mode: none
    x-bellbuoy: {{minUptime: 1s}}
{more}""")
        return path

    return write


def good(done):
    assert done.returncode == CONVERGED, done.stderr
    return done


def test_from_file_to_containers_and_back(ctl, compose, node):
    plan = eventually(lambda: good(ctl("plan", compose())), message="the engine has answered")
    assert f"create {node.name('web')}" in plan.stdout
    assert not node.running(), "a plan changes nothing"

    done = ctl("apply", compose())
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout == f"{node.node}: converged\n"
    assert node.running() == {node.name("web")}
    assert "A=1" in node.container("web")["Config"]["Env"]
    assert "nothing to do" in ctl("plan", compose()).stdout
    assert "no difference" in ctl("diff", compose()).stdout

    script = "echo it is here; exec sleep 1000"
    changed = ctl("diff", compose(script))
    assert "~ /services/web/command: " in changed.stdout
    assert ctl("apply", compose(script)).returncode == CONVERGED
    logs = ctl("logs")
    assert logs.stdout == f"{node.name('web')} | it is here\n", logs.stderr

    history = [line.split() for line in ctl("history").stdout.splitlines()[1:]]
    assert [line[1] for line in history] == ["2", "1"]
    assert ctl("rollback", "--revision", 1).returncode == CONVERGED
    eventually(lambda: "no difference" in ctl("diff", compose()).stdout)

    path = compose()
    path.write_text(f"name: {node.project}\nservices: {{}}\n")
    assert ctl("apply", path).returncode == REJECTED, "nothing at all must be meant"
    assert ctl("apply", path, "--allow-empty").returncode == CONVERGED
    eventually(lambda: not node.running())


def test_a_failed_update_is_rolled_back(ctl, compose, node):
    assert ctl("apply", compose()).returncode == CONVERGED
    before = node.container("web")["Id"]
    done = ctl("apply", compose("exit 3"))
    assert done.returncode == ROLLED_BACK, done.stderr
    assert "rolled back: exited: " in done.stdout and "code 3" in done.stdout
    assert node.container("web")["Id"] == before
    assert "no difference" in ctl("diff", compose()).stdout, "what is applied is the good one"


def test_what_the_node_does_not_allow(ctl, compose, node):
    done = ctl("apply", compose(more="    privileged: true\n"))
    assert done.returncode == REJECTED
    assert "not-allowed: /services/web/privileged" in done.stdout
    assert not node.running()


def test_an_image_that_is_nowhere(ctl, compose, node):
    path = compose()
    path.write_text(path.read_text().replace(node.images.one, f"bellbuoy-test/none:{node.project}")
                    + "    pull_policy: never\n")
    plan = eventually(lambda: good(ctl("plan", path)), message="the engine has answered")
    assert "in its way: pull-notfound: " in plan.stdout
    done = ctl("apply", path)
    assert done.returncode == ROLLED_BACK, done.stdout
    assert "rolled back: pull-notfound: " in done.stdout


def test_drift_is_seen_and_mended(ctl, compose, node):
    assert ctl("apply", compose()).returncode == CONVERGED
    before = node.container("web")["Id"]
    node.engine.rm(before)
    eventually(lambda: node.container("web")["Id"] != before)
    eventually(lambda: "COMPLETED  yes" in run_once(BUOYCTL, "status", node.node,
                                                    *flags(**login_flags(node.broker))).stdout)


def test_paused_is_left_alone(ctl, compose, node):
    assert ctl("apply", compose()).returncode == CONVERGED
    assert ctl("pause").returncode == CONVERGED
    eventually(lambda: "paused" in run_once(BUOYCTL, "status", node.node,
                                            *flags(**login_flags(node.broker))).stdout)
    waits = {}
    apply = threading.Thread(target=lambda: waits.update(done=ctl("apply", compose("exec sleep 2000"))))
    apply.start()
    node.wait(lambda p: p["desired"]["revision"] == 2, "the new revision")
    assert apply.is_alive(), "it is waited for"
    assert ctl("resume").returncode == CONVERGED
    apply.join(60)
    assert waits["done"].returncode == CONVERGED, waits["done"].stdout


def test_a_manager_that_is_killed_meanwhile(ctl, compose, node):
    """The wait outlives the node's manager: it is back within its time."""
    path = compose("exec sleep 1000", more="    healthcheck: {test: [CMD, 'true'], start_period: 1s}\n")
    path.write_text(path.read_text().replace("minUptime: 1s", "minUptime: 5s"))
    waits = {}
    apply = threading.Thread(target=lambda: waits.update(done=ctl("apply", path)))
    apply.start()
    node.wait(lambda p: p["desired"]["revision"] == 1, "the revision")
    node.restart(kill=True)
    apply.join(90)
    assert waits["done"].returncode == CONVERGED, waits["done"].stdout + waits["done"].stderr


def test_doctor(ctl, compose, node):
    assert ctl("apply", compose()).returncode == CONVERGED
    done = run_once(BUOYCTL, "doctor", *flags(**login_flags(node.broker)))
    assert f"✓ {node.node}: Docker " in done.stdout
    assert f"✓ {node.node}: {node.project} is as its document says" in done.stdout
