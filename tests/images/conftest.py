"""Fixtures of the tests of the images: an engine, and the images of this tree under a tag of their own."""

import os

import pytest

from .engine import SERVICES, Image, build_images, find_engine

# A build with nothing in the cache takes minutes.
TIMEOUT_S = 1800


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "images":
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def engine():
    if not find_engine():
        pytest.skip("no Docker engine answers ('docker version' says why)")


@pytest.fixture(scope="session")
def build(engine):
    """build(TAG, OPTION...) -> {service: Image}; gone at the end."""
    built = []

    def run(name, *options):
        tag = f"test-{name}-{os.getpid()}"
        images = {service: Image(service, tag) for service in SERVICES}
        built.extend(images.values())
        build_images("--tag", tag, *options)
        return images

    yield run
    for image in built:
        image.remove()


@pytest.fixture(scope="session")
def images(build):
    """{service: Image}, built as a user would."""
    return build("first")


@pytest.fixture(params=SERVICES)
def image(request, images):
    return images[request.param]
