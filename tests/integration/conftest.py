"""Fixtures of the tests that need a Docker engine: skipped where none answers."""

import pytest

from harness.engine import need_engine
from harness.manager import Images, Node


@pytest.fixture(scope="session")
def docker():
    """The engine; never through a proxy."""
    return need_engine()


@pytest.fixture(scope="session")
def images(docker):
    images = Images(docker)
    yield images
    images.close()


@pytest.fixture
def make_node(lab, module_lab, docker, images):
    """make_node(**options): a node with a manager, on a broker that the module's tests share."""
    made = []

    def make(broker=None, **options):
        if not hasattr(module_lab, "shared_broker"):
            module_lab.shared_broker = module_lab.broker()
        node = Node(lab, broker or module_lab.shared_broker, docker, images, **options)
        made.append(node)
        return node

    yield make
    for node in reversed(made):
        node.close()


@pytest.fixture
def node(make_node):
    return make_node()
