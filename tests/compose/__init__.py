"""Compose files in folders, run through compose_config and through the real docker compose.

A folder of corpus/ has compose.yaml, what stands beside it (.env, env files, overrides), and

    arguments      more arguments for both programs
    environment    NAME=VALUE lines: the environment of both, beside PATH and HOME=/home/user
    expected.json  what docker compose v5 prints, with corpus/'s own path as /corpus and $$ as $

`python3 -m compose` in tests/ writes every expected.json anew. A folder of refused/ has expected.txt, what
compose_config says, instead.
"""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
REFUSED = HERE / "refused"


def cases(folder):
    return sorted(path for path in folder.iterdir() if path.is_dir())


def run(program, folder):
    """program, in a case's folder, with its arguments and environment."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/home/user",
                   "DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))}
    environment.update(line.split("=", 1) for line in _lines(folder / "environment"))
    for name in [name for name in os.environ if name.startswith(("ASAN_", "UBSAN_", "LSAN_"))]:
        environment[name] = os.environ[name]
    arguments = [word for line in _lines(folder / "arguments") for word in shlex.split(line)]
    return subprocess.run([*program, *arguments], cwd=folder, env=environment, timeout=60,
                          capture_output=True, text=True, check=False)


def docker_compose(folder):
    """What the real one prints, in the form of an expected.json."""
    # It takes its arguments between `compose` and `config`.
    done = run(["sh", "-c", 'exec docker compose "$@" config --format json', "docker"], folder)
    assert done.returncode == 0, done.stderr
    return _one_dollar(relocated(json.loads(done.stdout)))


def docker_compose_version():
    """(5, 0, 2), or None where there is no docker compose."""
    try:
        done = subprocess.run(["docker", "compose", "version", "--short"], timeout=60,
                              capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if done.returncode == 0 and found else None


def relocated(value):
    """value with corpus/'s own path as /corpus."""
    return json.loads(json.dumps(value).replace(json.dumps(str(CORPUS))[1:-1], "/corpus"))


def _one_dollar(value):
    """Compose doubles each $, so that its output can be a compose file again."""
    if isinstance(value, dict):
        return {name: _one_dollar(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_one_dollar(member) for member in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def _lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def write_expected():
    for folder in cases(CORPUS):
        text = json.dumps(docker_compose(folder), indent=2, ensure_ascii=False, sort_keys=True)
        (folder / "expected.json").write_text(text + "\n", encoding="utf-8")
