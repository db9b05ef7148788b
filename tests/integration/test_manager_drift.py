"""What somebody does to our containers is mended, or only told, as the policy says."""

import pytest

from harness.waiting import eventually


def is_another(node, before, service="web"):
    """Another container than before has taken its place, and runs."""

    def replaced():
        now = node.container(service)
        return now["Id"] != before and now["State"]["Running"]

    return eventually(replaced, message=f"{service} is another one")


def test_a_removed_container_comes_back(node):
    node.apply({"web": node.service(), "db": node.service()})
    web, db = node.id("web"), node.id("db")
    node.engine.rm(node.name("web"))
    is_another(node, web)
    node.wait_converged()
    node.assert_runs_only("web", "db")
    assert node.id("db") == db


def test_a_stopped_container_is_started(node):
    node.apply({"web": node.service(restart="unless-stopped")})
    before = node.id("web")
    node.engine.docker("stop", node.name("web"))
    eventually(lambda: node.running() == {node.name("web")}, message="it runs again")
    assert node.id("web") == before


def test_changed_limits_are_put_back(node):
    node.apply({"web": node.service(mem_limit="64M", restart="unless-stopped")})
    before = node.id("web")
    node.engine.docker("update", "--memory", "32m", "--memory-swap", "64m", "--restart", "no",
                       node.name("web"))

    def is_back():
        host = node.container("web")["HostConfig"]
        return host["Memory"] == 64 << 20 and host["RestartPolicy"]["Name"] == "unless-stopped"

    eventually(is_back, message="the limits are back")
    assert node.id("web") == before


def test_a_disconnected_container_is_put_back(node):
    node.apply({"web": node.service(networks={"front": None})}, networks={"front": None})
    network = f"{node.project}_front"
    node.engine.docker("network", "disconnect", network, node.name("web"))
    eventually(lambda: network in node.container("web")["NetworkSettings"]["Networks"] and
               node.running() == {node.name("web")}, message="it is in its network")
    node.wait_converged()
    node.assert_runs_only("web")


def test_a_removed_network_is_made_again(node):
    node.apply({"web": node.service(networks={"front": None})}, networks={"front": None})
    network = f"{node.project}_front"
    node.engine.docker("network", "disconnect", "--force", network, node.name("web"))
    node.engine.docker("network", "rm", network, check=False)

    def is_back():
        return list(node.engine.inspect(network)[0]["Containers"]) == [node.id("web")]

    eventually(is_back, message="the network is there, with its container")
    node.wait_converged()
    node.assert_runs_only("web")


def test_a_moved_image_tag_is_followed(node, images):
    name = images.unique()
    node.engine.docker("tag", images.one, name)
    node.apply({"web": node.service(image=name), "db": node.service()})
    web, db = node.id("web"), node.id("db")
    node.engine.docker("tag", images.two, name)
    is_another(node, web)
    node.wait_converged()
    assert node.container("web")["Image"] == node.engine.image_id(images.two)
    assert node.id("db") == db


def test_a_renamed_container_gets_its_name_back(node):
    node.apply({"web": node.service()})
    before = node.id("web")
    node.engine.docker("rename", node.name("web"), f"{node.name('web')}-mine")
    eventually(lambda: node.names() == {node.name("web")}, message="it has its name")
    assert node.id("web") == before


def test_what_ended_by_itself_is_left_as_its_policy_says(node):
    node.apply({"web": node.service("exec sleep 1000"),
                "job": node.service("exec sleep 1000", restart="on-failure")})
    before = node.id("web")
    node.engine.docker("exec", node.name("job"), "true")
    node.engine.docker("kill", "--signal", "KILL", node.name("web"))
    eventually(lambda: node.project_report()["services"]["web"]["state"] == "exited",
               message="its end is reported")
    node.wait_converged()
    assert node.id("web") == before
    assert node.running() == {node.name("job")}


@pytest.mark.parametrize("harm", ["rm", "stop", "update"])
def test_drift_is_only_reported_where_the_policy_says_so(node, harm):
    node.apply({"web": node.service(restart="unless-stopped", mem_limit="64M"), "db": node.service()},
               policy={"drift": "report"})
    node.proxy.forget()
    name = node.name("web")
    if harm == "rm":
        node.engine.rm(name)
    elif harm == "stop":
        node.engine.docker("stop", name)
    else:
        node.engine.docker("update", "--restart", "no", name)
    report = node.wait(lambda p: not p["converged"] and p["drift"], "drift")
    assert [(drift["service"], drift["object"]) for drift in report["drift"]] == [("web", name)]
    assert report["drift"][0]["cause"]
    assert report["phase"] == "COMPLETED"
    node.restart()
    node.wait(lambda p: not p["converged"] and p["drift"], "drift, after a restart too")
    assert node.proxy.writes == []
    # A person's word mends it.
    node.apply({"web": node.service(restart="unless-stopped", mem_limit="64M"), "db": node.service()})
    node.assert_runs_only("web", "db")
