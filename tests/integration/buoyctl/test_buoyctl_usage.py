"""buoyctl's command line: wrong usage, help, the man page, completion."""

import os
import pty
import re
import select
import shutil
import subprocess

import pytest

from harness import BUOYCTL, ROOT, eventually, run_once
from harness.ctl import CONVERGED, USAGE
from harness.process import service_environment

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.parametrize("args, words", [
    ([], "which command?"),
    (["aply"], "unknown command 'aply'; did you mean apply?"),
    (["qwertz"], "unknown command 'qwertz'; see buoyctl --help"),
    (["help", "stauts"], "did you mean status?"),
    (["apply", "--nod", "x"], "unknown option --nod; did you mean --node?"),
    (["apply", "-x"], "unknown option -x"),
    (["apply", "x.json"], "--node NAME or --group NAME"),
    (["apply", "x.json", "-n", "a", "-g", "b"], "--node NAME or --group NAME"),
    (["apply", "-n"], "-n needs a value: -n NAME"),
    (["apply", "--drift", "enforced", "-n", "a"], "did you mean enforce?"),
    (["apply", "--timeout", "soon"], "--timeout cannot be"),
    (["apply", "/nowhere/x.json", "-n", "a"], "/nowhere/x.json"),
    (["history", "x", "-n", "a"], 'unexpected argument "x"'),
    (["retry"], "whom to ask?"),
    (["completion"], "completion needs SHELL"),
    (["completion", "fish"], "bash and zsh"),
    (["status", "-o", "xml"], "one of table, json, yaml"),
    (["status", "--broker-url", "http://x"], "must begin with mqtt://"),
])
def test_wrong_usage(args, words):
    done = run_once(BUOYCTL, *args)
    assert done.returncode == USAGE
    assert words in done.stderr and done.stderr.startswith("buoyctl") and done.stdout == ""


def test_help():
    first = run_once(BUOYCTL, "--help").stdout
    commands = re.findall(r"^  (\w+) ", first, re.M)
    assert {"apply", "plan", "diff", "status", "history", "rollback", "retry", "pause", "resume", "logs",
            "lint", "doctor", "config", "completion", "version", "help"} <= set(commands)
    for command in set(commands) - {"version", "help"}:
        by_flag, by_name = run_once(BUOYCTL, command, "--help"), run_once(BUOYCTL, "help", command)
        assert by_flag.returncode == by_name.returncode == CONVERGED
        assert by_flag.stdout == by_name.stdout
        assert by_flag.stdout.startswith(f"Usage: buoyctl {command} [OPTION]...")
        assert max(map(len, by_flag.stdout.splitlines())) <= 100
    assert run_once(BUOYCTL, "version").stdout == run_once(BUOYCTL, "--version").stdout


def test_the_man_page_has_every_command_and_option_and_no_other():
    page = (ROOT / "docs" / "man" / "buoyctl.1").read_text()
    commands = set(re.findall(r"^  (\w+) ", run_once(BUOYCTL, "--help").stdout, re.M))
    options = set()
    for command in commands - {"version", "help"}:
        for negative, name in re.findall(r"--(\[no-\])?([a-z][a-z-]*)",
                                         run_once(BUOYCTL, command, "--help").stdout):
            options.add(name)
    assert {name for name in commands if f"Cm {name}" in page} == commands
    written = {name.removeprefix("no-") for name in re.findall(r"(?:Fl|,) -([a-z][a-z-]*)", page)}
    assert written == options


def test_from_stdin(tmp_path):
    done = subprocess.run([BUOYCTL, "lint", "-"], input="name: line3\nservices: {web: {image: x}}\n",
                          capture_output=True, text=True, env=service_environment(), timeout=30)
    assert done.returncode == CONVERGED, done.stderr
    assert done.stdout.startswith("line3: fit for a node (services: 1, networks: 1")


# ---- completion ----


def bash_completes(line):
    words = line.split(" ")
    script = (f"source <({BUOYCTL} completion bash)\n"
              "compopt() { :; }\n"
              f"COMP_WORDS=({' '.join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}\n"
              '_buoyctl\nprintf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30,
                          env=service_environment(), cwd="/")
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("line, expected", [
    ("buoyctl ap", ["apply"]),
    ("buoyctl re", ["retry", "resume"]),
    ("buoyctl apply --dr", ["--drift"]),
    ("buoyctl apply --drift ", ["file", "enforce", "report"]),
    ("buoyctl status -o j", ["json"]),
    ("buoyctl apply /et", ["/etc"]),
    ("buoyctl apply -f /et", ["/etc"]),
    ("buoyctl apply --node /et", []),
    ("buoyctl lint --broker", []),
    ("buoyctl completion z", ["zsh"]),
    ("buoyctl help do", ["doctor"]),
])
def test_bash_completion(line, expected):
    assert sorted(bash_completes(line)) == sorted(expected)


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.parametrize("typed, shown", [
    ("buoyctl appl\t", "buoyctl apply "),
    ("buoyctl apply --drif\t", "buoyctl apply --drift "),
    ("buoyctl status --output js\t", "buoyctl status --output json "),
])
def test_zsh_completion(typed, shown, tmp_path):
    """In a real zsh on a terminal, with the keys that a person presses."""
    (tmp_path / ".zshrc").write_text(
        f"autoload -Uz compinit && compinit -u -D\nsource <({BUOYCTL} completion zsh)\nPS1='ready> '\n"
        "unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste\n")
    main, side = pty.openpty()
    process = subprocess.Popen(["zsh", "-i"], stdin=side, stdout=side, stderr=side, start_new_session=True,
                               env={"PATH": f"{BUOYCTL.parent}:{os.environ['PATH']}", "TERM": "dumb",
                                    "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}, cwd=tmp_path)
    os.close(side)
    written = ""

    def read():
        nonlocal written
        if select.select([main], [], [], 0.1)[0]:
            written += ANSI.sub("", os.read(main, 65536).decode(errors="replace"))
        return written

    try:
        eventually(lambda: "ready> " in read())
        os.write(main, typed.encode())
        eventually(lambda: shown in read().replace("\r", ""))
    finally:
        process.kill()
        process.wait()
        os.close(main)
