"""What is in an image, and that nothing else is."""

import datetime
import json
import re
import subprocess

import pytest

from harness import ROOT

MAX_MB = {"broadcaster": 10, "broker": 18, "receiver": 30, "manager": 25}
PORTS = {"broadcaster": "9090/tcp", "broker": "8883/tcp", "receiver": "5000/tcp", "manager": "9090/tcp"}
DATA = {"broker": "/data", "receiver": "/data", "manager": "/var/lib/bellbuoy/manager"}
VERSION = re.search(r"project\(bellbuoy VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]


def git(*args):
    return subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True,
                          check=True).stdout.strip()


def label(image, name):
    return image.inspect()["Config"]["Labels"][f"org.opencontainers.image.{name}"]


def created(image):
    return datetime.datetime.fromisoformat(label(image, "created"))


def sbom(image):
    return image.json(f"/usr/share/sbom/bellbuoy-{image.service}.cdx.json")


def locations(component):
    return {one["location"] for one in component["evidence"]["occurrences"]}


def test_it_is_small(image):
    assert image.inspect()["Size"] <= MAX_MB[image.service] * 1_000_000


def test_it_says_how_it_runs(image):
    config = image.inspect()["Config"]
    program = f"/usr/bin/bellbuoy-{image.service}"
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == [program]
    assert config["Healthcheck"]["Test"] == ["CMD", program, "healthcheck"]
    assert config["StopSignal"] == "SIGTERM"
    assert list(config["ExposedPorts"]) == [PORTS[image.service]]


def test_labels_say_what_it_was_built_of(image):
    assert label(image, "title") == f"bellbuoy-{image.service}"
    assert label(image, "description")
    assert label(image, "version") == VERSION
    assert label(image, "licenses") == "Apache-2.0"
    assert label(image, "source") == "" or label(image, "source").startswith("https://")
    commit = label(image, "revision").removesuffix("-dirty")
    assert created(image).timestamp() == int(git("log", "-1", "--format=%ct", commit))
    made = image.inspect()["Created"][:19]
    assert made == created(image).strftime("%Y-%m-%dT%H:%M:%S")


def test_it_has_no_program_but_its_own(image):
    executable = {path for path, file in image.files().items() if file.isfile() and file.mode & 0o111}
    assert executable - image.libraries() == image.programs
    shell = image.run(entrypoint="/bin/sh")
    assert shell.returncode != 0 and "no such file" in shell.stderr


def test_each_library_is_loaded_by_a_program(image):
    loaded = set().union(*map(image.loaded_by, image.programs))
    assert image.libraries() == loaded


def test_the_broadcaster_has_no_http_server(images):
    names = " ".join(images["broadcaster"].libraries())
    assert "gnutls" not in names and "microhttpd" not in names


def test_files_belong_to_root_and_data_to_the_user(image):
    for path, file in image.files().items():
        if path == DATA.get(image.service):
            assert (file.uid, file.gid, file.mode & 0o7777) == (10001, 10001, 0o700)
        else:
            assert (file.uid, file.gid) == (0, 0), path
            assert not file.mode & 0o6022, f"{path} {file.mode:o}"
    data = DATA.get(image.service)
    assert list(image.inspect()["Config"].get("Volumes") or []) == ([data] if data else [])
    assert data is None or data in image.files()
    assert b"bellbuoy:x:10001:10001:" in image.read("/etc/passwd")
    assert b"bellbuoy:x:10001:" in image.read("/etc/group")


def test_files_have_the_commit_s_time(image):
    times = {file.mtime for path, file in image.files().items() if path != "/"}
    assert times == {created(image).timestamp()}


def test_it_trusts_the_usual_authorities(image):
    assert image.read("/etc/ssl/certs/ca-certificates.crt").count(b"BEGIN CERTIFICATE") > 100


def test_the_broker_has_its_settings(images):
    conf = images["broker"].read("/etc/bellbuoy/broker/mosquitto.conf").decode()
    parts = [(ROOT / "broker" / name).read_text() for name in ("mosquitto.conf", "listeners.conf")]
    assert conf == "".join(parts)
    assert "/etc/bellbuoy/broker/acl" in images["broker"].files()


def test_the_sbom_names_each_file_s_package(image):
    document = sbom(image)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert document["metadata"]["component"]["name"] == f"bellbuoy/{image.service}"
    named = set().union(*map(locations, document["components"]))
    assert named == image.libraries() | image.programs | {"/etc/ssl/certs/ca-certificates.crt"}


def test_the_sbom_tells_version_and_licence_of_each_component(image):
    own, *packages = sbom(image)["components"]
    assert own["name"] == f"bellbuoy-{image.service}" and own["version"] == VERSION
    assert own["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    for package in packages:
        name, version = package["name"], package["version"]
        assert re.fullmatch(r"[0-9A-Za-z.+:~-]+", version), package
        assert package["purl"].startswith(f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch=")
        assert package["licenses"] and all(one["license"]["name"] for one in package["licenses"])
        assert f"/usr/share/doc/{name}/copyright" in image.files()


@pytest.mark.parametrize("name", ["libjs-dygraphs", "uthash-dev"])
def test_the_sbom_names_what_is_compiled_in(images, name):
    package = next(one for one in sbom(images["receiver"])["components"] if one["name"] == name)
    assert locations(package) == {"/usr/bin/bellbuoy-receiver"}


def test_the_sbom_lies_beside_the_image_too(image):
    exported = json.loads((ROOT / "build" / "sbom" / f"{image.service}.json").read_text())
    assert exported["components"] == sbom(image)["components"]
