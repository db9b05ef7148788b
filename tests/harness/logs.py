"""The services' logfmt lines."""

import re

_PAIR = re.compile(r'([A-Za-z0-9_.-]+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPE = re.compile(r"\\(.)")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


def _unquote(value):
    if not value.startswith('"'):
        return value
    return _ESCAPE.sub(lambda m: _PLAIN.get(m.group(1), m.group(1)), value[1:-1])


def parse_logfmt(line):
    """The line's pairs as a dict; empty for a line that is not logfmt."""
    return {key: _unquote(value) for key, value in _PAIR.findall(line)}


def parse_lines(text):
    """One dict for each logfmt line of a text; other lines are left out."""
    records = (parse_logfmt(line) for line in text.splitlines())
    return [record for record in records if "level" in record]
