"""What buoyctl prints on a terminal, and where there is none."""

import re
import subprocess

import pytest

from harness import BUOYCTL, eventually
from harness.ctl import CONVERGED, PARTIAL, on_terminal, working
from harness.process import service_environment

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_lines_where_there_is_no_terminal(nodes, document, broker, tmp_path):
    node = nodes("press-7")
    log = tmp_path / "stderr"
    with log.open("w") as err:
        process = subprocess.Popen([BUOYCTL, "apply", document(), "-n", "press-7", "--broker-url", broker.url],
                                   stdout=subprocess.PIPE, stderr=err, env=service_environment())
    for seen, act in working(node):
        eventually(lambda seen=seen: seen in log.read_text())
        act()
    assert process.wait(30) == CONVERGED
    assert process.stdout.read() == b"press-7: converged\n"
    assert log.read_text().splitlines() == [
        "published line3 revision 1 at bellbuoy/nodes/press-7/desired/line3",
        "press-7  waiting for the node", "press-7  DOWNLOADING  pulling x:1",
        "press-7  UPDATING  creating line3-web-1"]



def test_colour_and_bars_on_a_terminal(broker, nodes, document):
    node = nodes("press-7")
    status, written = on_terminal([BUOYCTL, "apply", document(), "-n", "press-7", "--broker-url", broker.url],
                                  steps=working(node))
    assert status == CONVERGED
    assert "DOWNLOADING  1/3  pulling x:1" in written
    assert "x:1  [======>                 ]  25%  1.0 MB / 4.0 MB" in written
    assert "x:1  [============>           ]  50%  2.0 MB / 4.0 MB" in written
    assert "\x1b[2A" in written, "it is drawn again in place"
    assert "UPDATING  2/3  creating" in written and "UPDATING  3/3  creating" in written
    assert "\x1b[32mconverged\x1b[0m" in written


@pytest.mark.parametrize("args, env, colored", [
    ([], {}, True), ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True),
    ([], {"TERM": "dumb"}, False), (["--color", "never"], {}, False),
    (["--color", "always"], {"NO_COLOR": "1"}, True),
])
def test_colour(broker, fleet, args, env, colored):
    status, written = on_terminal([BUOYCTL, "status", *args, "--broker-url", broker.url], env)
    assert status == CONVERGED
    assert ("\x1b[32monline" in written) == colored
    assert ANSI.sub("", written).startswith("NODE     PRESENCE")


def test_no_colour_in_a_pipe(ctl, fleet):
    assert "\x1b" not in ctl("status").stdout
    assert "\x1b[32monline" in ctl("status", "--color", "always").stdout


def test_more_nodes_than_lines(broker, nodes, document):
    """What does not fit the screen is cut, so that drawing again does not scroll."""
    for i in range(12):
        nodes(f"n{i:02}", groups=[("all", 1)]).complete_all()
    slow = nodes("n12", groups=[("all", 1)])
    slow.on_document(lambda sent, source: None)
    status, written = on_terminal([BUOYCTL, "apply", document(), "-g", "all", "--timeout", "2s",
                                   "--broker-url", broker.url], size=(8, 40))
    assert status == PARTIAL
    drawn = [part.count("\n") for part in re.findall(r"\x1b\[\?7l(.*?)\x1b\[\?7h", written, re.S)]
    assert drawn and max(drawn) == 7
