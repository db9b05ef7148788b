"""compose_load, which buoyctl reads compose files with, against the real docker compose."""

import json

import compose
import pytest
from harness import BUILD_DIR

PROGRAM = BUILD_DIR / "manager" / "ctl" / "compose" / "compose_config"


def by_name(folder):
    return folder.name


def ours(folder):
    done = compose.run([PROGRAM], folder)
    assert done.returncode == 0, done.stderr
    return done


def model(folder):
    """What we print, but for the services' x-*: docker compose drops them."""
    printed = json.loads(ours(folder).stdout)
    for service in printed["services"].values():
        for name in [name for name in service if name.startswith("x-")]:
            del service[name]
    return compose.relocated(printed)


def expected(folder):
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def test_there_are_enough_cases():
    assert len(compose.cases(compose.CORPUS)) >= 60
    assert len(compose.cases(compose.REFUSED)) >= 30


@pytest.mark.parametrize("folder", compose.cases(compose.CORPUS), ids=by_name)
def test_a_file_gives_what_docker_compose_gave(folder):
    assert model(folder) == expected(folder)


@pytest.mark.skipif((compose.docker_compose_version() or (0,))[0] != 5,
                    reason="no docker compose v5 here")
@pytest.mark.parametrize("folder", compose.cases(compose.CORPUS), ids=by_name)
def test_docker_compose_still_gives_it(folder):
    assert compose.docker_compose(folder) == expected(folder)


@pytest.mark.parametrize("folder", compose.cases(compose.REFUSED), ids=by_name)
def test_a_wrong_file_is_refused_with_its_place(folder):
    done = compose.run([PROGRAM], folder)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.replace(str(folder), "/refused") == (folder / "expected.txt").read_text(encoding="utf-8")


def test_a_service_keeps_its_extensions():
    printed = json.loads(ours(compose.CORPUS / "extensions").stdout)
    assert printed["services"]["a"]["x-bellbuoy"] == {"strategy": "handover", "healthyWithin": "60s"}


@pytest.mark.parametrize("name, warning", [
    ("interpolation", "warning: the variable UNSET is not set: it is taken as empty"),
    ("version", 'warning: /corpus/version/compose.yaml:1: "version" is obsolete and means nothing: leave it out'),
    ("booleans", 'warning: "yes" is no boolean of YAML 1.2: it is taken as true'),
    ("command-shell-characters",
     "warning: /corpus/command-shell-characters/compose.yaml:2: no shell reads this command: Compose drops "
     '"&& echo b"; write ["sh", "-c", "..."]'),
])
def test_what_is_doubtful_is_told_once(name, warning):
    told = ours(compose.CORPUS / name).stderr.replace(str(compose.CORPUS), "/corpus").splitlines()
    assert told.count(warning) == 1


def test_a_bomb_of_aliases_is_refused(tmp_path):
    levels = "\n".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))
    (tmp_path / "compose.yaml").write_text(f"x-0: &a0 [a, a, a, a]\n{levels}\nservices: {{}}\n")
    done = compose.run([PROGRAM], tmp_path)
    assert done.returncode == 1
    assert "more than 100000 values" in done.stderr


def test_nesting_has_a_bound(tmp_path):
    (tmp_path / "compose.yaml").write_text("x-a: " + "[" * 200 + "]" * 200 + "\n")
    done = compose.run([PROGRAM], tmp_path)
    assert done.returncode == 1
    assert "nested deeper than 64 levels" in done.stderr


def test_a_file_has_a_bound(tmp_path):
    (tmp_path / "compose.yaml").write_text("# " + "x" * (1 << 20) + "\n")
    done = compose.run([PROGRAM], tmp_path)
    assert done.returncode == 1
    assert "compose.yaml" in done.stderr and "1048576" in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path):
    (tmp_path / "arguments").write_text("-f nowhere.yaml\n")
    done = compose.run([PROGRAM], tmp_path)
    assert done.returncode == 1
    assert "nowhere.yaml" in done.stderr and "No such file" in done.stderr
