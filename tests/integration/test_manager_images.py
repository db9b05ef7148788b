"""Images that the manager has pulled are removed when nothing needs them; nobody else's ever are."""

import json
import os
import uuid

import pytest

from harness.registry import Registry
from harness.waiting import PATIENCE_S, eventually

OFTEN = {"image_gc_interval": "1s", "image_gc_min_age": "0s"}
LOOK = "/images/json?all=1&digests=1"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    registry = Registry(tmp_path_factory.mktemp("registry")).start()
    yield registry
    assert registry.close() == []


class Tags:
    """A repository's tags, each an image of its own that the engine does not have."""

    def __init__(self, registry, engine, images):
        self.repository = f"bellbuoy-test/{uuid.uuid4().hex[:12]}"
        self._registry, self._engine, self._images = registry, engine, images
        for tag in "1234":
            self.push(tag)

    def __getitem__(self, tag):
        return f"{self._registry.address}/{self.repository}:{tag}"

    def push(self, tag):
        """Makes it lead to an image that was nowhere before."""
        image = self._images.make(f"{self.repository.rpartition('/')[2]}-{uuid.uuid4().hex[:8]}")
        self._registry.push(self._engine, image, self.repository, tag)
        self._engine.remove_image(image)

    def push_again(self, tag, other):
        """Makes `other` lead to the same image."""
        self._engine.docker("pull", "--quiet", self[tag])
        self._engine.docker("tag", self[tag], self[other])
        self._engine.docker("push", "--quiet", self[other])
        self._engine.remove_image(self[tag], self[other])

    def _list(self, form):
        return set(self._engine.docker("image", "ls", "--no-trunc", "--format", form,
                                       self["1"].rpartition(":")[0]).split())

    def there(self):
        """Those that the engine has; without the images that have lost theirs."""
        return self._list("{{.Tag}}") - {"<none>"}

    def remove(self):
        self._engine.remove_image(*self._list("{{.ID}}"))


@pytest.fixture(scope="module")
def tags(registry, docker, images):
    return Tags(registry, docker, images)


@pytest.fixture(autouse=True)
def clean(tags):
    """After the nodes are gone, which are made later."""
    yield
    tags.remove()


def web(node, image, value="1", **members):
    return {"web": node.service(image=image, environment={"A": value}, **members)}


def has_id(node, image_id):
    return image_id in node.engine.docker("image", "ls", "--all", "--quiet", "--no-trunc").split()


def removals(node):
    return [request for request in node.proxy.writes if request.method == "DELETE" and "/images/" in request.path]


def pulls(node):
    return [request for request in node.proxy.writes if request.path == "/images/create"]


def wait_looked(node):
    """Until it has looked for images to remove twice: the second time it began after this."""
    node.proxy.forget()
    eventually(lambda: len([r for r in list(node.proxy.requests) if str(r).endswith(LOOK)]) > 2,
               message="it looks for images to remove")


# ---- what goes


def test_an_image_that_nothing_needs_goes_and_a_rollback_needs_no_pull(make_node, tags):
    node = make_node(**OFTEN)
    node.apply(web(node, tags["1"]))
    node.apply(web(node, tags["2"]))
    wait_looked(node)
    assert tags.there() == {"1", "2"}
    node.apply(web(node, tags["3"]))
    eventually(lambda: tags.there() == {"2", "3"}, message="tag 1 is removed")
    eventually(lambda: [line for line in node.manager.log_tail(400).splitlines()
                        if "an image was removed" in line and tags["1"] in line])
    node.proxy.forget()
    node.call("rollback")
    node.wait_converged(2)
    assert pulls(node) == []
    node.assert_runs_only("web")


def test_what_was_pulled_is_known_after_a_restart(make_node, tags):
    node = make_node(image_gc_interval="30d")
    node.apply(web(node, tags["1"]))
    node.apply(web(node, tags["2"]))
    node.manager.set_options(**OFTEN)
    node.restart(kill=True)
    node.apply(web(node, tags["3"]))
    eventually(lambda: tags.there() == {"2", "3"}, message="tag 1 is removed")


def test_an_image_whose_tag_has_moved_goes_by_its_id(make_node, tags):
    node = make_node(**OFTEN)
    tags.push("moving")
    node.apply(web(node, tags["moving"]))
    old = node.engine.image_id(tags["moving"])
    tags.push("moving")
    node.apply(web(node, tags["moving"], "2", pull_policy="always"))
    assert node.engine.image_id(tags["moving"]) != old
    eventually(lambda: not has_id(node, old), message="the image of before is removed")
    assert tags.there() == {"moving"}
    node.assert_runs_only("web")


def test_one_content_under_two_names_goes_with_the_last(make_node, tags, docker):
    tags.push_again("1", "same")
    node = make_node(**OFTEN)
    node.apply(web(node, tags["1"]))
    image_id = docker.image_id(tags["1"])
    node.apply(web(node, tags["same"]))
    assert docker.image_id(tags["same"]) == image_id
    node.apply(web(node, tags["3"]))
    node.apply(web(node, tags["4"]))
    eventually(lambda: not has_id(node, image_id), message="it is removed")
    assert tags.there() == {"3", "4"}


# ---- what stays


def use_up(node, tags, **members):
    """Makes tag 1 an image that none of the node's documents and containers needs."""
    for tag in "123":
        node.apply(web(node, tags[tag], **members))


def test_an_image_that_was_there_stays(make_node, tags, docker):
    """Also where it was pulled again."""
    docker.docker("pull", "--quiet", tags["1"])
    node = make_node(**OFTEN)
    use_up(node, tags, pull_policy="always")
    assert len(pulls(node)) == 3
    wait_looked(node)
    assert tags.there() == {"1", "2", "3"}
    assert removals(node) == []


def test_an_image_that_was_there_without_a_name_stays(make_node, tags, docker, images):
    docker.docker("pull", "--quiet", tags["1"])
    image_id = docker.image_id(tags["1"])
    docker.docker("tag", images.one, tags["1"])
    docker.docker("image", "rm", tags["1"])
    node = make_node(**OFTEN)
    assert has_id(node, image_id)
    use_up(node, tags)
    wait_looked(node)
    assert docker.image_id(tags["1"]) == image_id


def test_an_image_of_a_strangers_container_stays(make_node, tags, docker):
    """Also of one that does not run."""
    node = make_node(image_gc_interval="30d")
    node.apply(web(node, tags["1"]))
    stranger = docker.docker("create", "--network", "none", tags["1"])
    try:
        node.manager.set_options(**OFTEN)
        node.restart()
        use_up(node, tags)
        wait_looked(node)
        assert tags.there() == {"1", "2", "3"}
        assert removals(node) == []
    finally:
        docker.rm(stranger)
    eventually(lambda: tags.there() == {"2", "3"}, message="tag 1 is removed")


def test_an_image_that_has_a_strangers_name_keeps_it(make_node, tags, docker, images):
    node = make_node(image_gc_interval="30d")
    node.apply(web(node, tags["1"]))
    name = images.unique()
    docker.docker("tag", tags["1"], name)
    node.manager.set_options(**OFTEN)
    node.restart()
    use_up(node, tags)
    eventually(lambda: tags.there() == {"2", "3"}, message="tag 1 is removed")
    wait_looked(node)
    assert docker.has_image(name)


def test_an_image_stays_for_its_min_age(make_node, tags):
    node = make_node(image_gc_interval="1s", image_gc_min_age="1h")
    use_up(node, tags)
    wait_looked(node)
    assert tags.there() == {"1", "2", "3"}


# ---- room


class Disk:
    """What the manager sees where the engine keeps its images: full, or the file system of here."""

    def __init__(self, folder, node):
        self._link = folder / "disk"
        self.fill()
        info = json.loads(node.engine.docker("info", "--format", "{{json .}}"))
        node.proxy.answer_with("GET /info", {**info, "DockerRootDir": str(self._link)})

    def fill(self):
        self._lead("/proc")  # has nothing free

    def empty(self):
        self._lead("/")

    def _lead(self, target):
        new = self._link.with_suffix(".new")
        os.symlink(target, new)
        os.replace(new, self._link)


@pytest.fixture
def make_full(make_node, tags, tmp_path):
    """make_full(**options): a node with a full disk, and tag 1 and 2 that nothing needs."""

    def make(**options):
        node = make_node(start=False, **options)
        node.disk = Disk(tmp_path, node)
        node.start()
        use_up(node, tags)
        return node

    return make


def test_room_is_made_before_a_pull(make_full, tags):
    """The longest unused first, and no more than is needed."""
    node = make_full()
    node.proxy.after_write = lambda _, request: "/images/" in request.path and node.disk.empty()
    node.proxy.forget()
    node.offer(web(node, tags["4"]), policy={"minFreeDisk": "1MiB"})
    node.wait_converged(4)
    assert "the apply failed" not in node.manager.log_tail(400)
    assert tags.there() == {"2", "3", "4"}
    assert [request.method for request in node.proxy.writes if "/images/" in request.path] == ["DELETE", "POST"]


def test_all_that_nothing_needs_goes_where_it_is_not_enough(make_full, tags):
    """Also what a rollback of another project would need."""
    node = make_full()
    other = f"{node.project}-other"
    node.publish(node.document(web(node, tags["4"]), project=other, revision=1,
                               policy={"minFreeDisk": "1MiB"}), other)
    node.wait_reason("disk", project=other)
    assert tags.there() == {"3"}
    node.assert_runs_only("web")
    node.disk.empty()
    node.wait_converged(1, project=other, timeout_s=2 * PATIENCE_S)


def test_room_is_made_after_a_pull_that_filled_the_disk(make_node, tags):
    node = make_node(image_gc_interval="30d")
    use_up(node, tags)
    node.proxy.answer("POST /images/create", 500, "write /layer.tar: no space left on device")
    node.offer(web(node, tags["4"]))
    node.wait_converged(4)
    assert tags.there() == {"3", "4"}
    assert [request.method for request in node.proxy.writes if "/images/" in request.path][-4:] == [
        "POST", "DELETE", "DELETE", "POST"]


def test_nothing_goes_where_it_is_switched_off(make_full, tags):
    node = make_full(image_gc_interval="0")
    node.offer(web(node, tags["4"]), policy={"minFreeDisk": "1MiB"})
    node.wait_reason("disk")
    assert tags.there() == {"1", "2", "3"}
    node.assert_runs_only("web")


def test_nothing_goes_while_anything_is_pulled(make_node, tags):
    """Another project has no room for its pull meanwhile."""
    node = make_node(image_gc_interval="30d")
    use_up(node, tags)
    pull = node.proxy.hang("POST /images/create")
    node.offer(web(node, tags["4"]))
    eventually(lambda: pull.hits)
    other = f"{node.project}-other"
    node.publish(node.document(web(node, "bellbuoy-test/none"), project=other, revision=1,
                               policy={"minFreeDisk": "500TiB"}), other)
    node.wait_reason("disk", project=other)
    assert removals(node) == []
    pull.release()
    node.wait_converged(4)
    eventually(lambda: tags.there() == {"4"}, message="what nothing needs is removed")
