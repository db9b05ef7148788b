"""The dashboard's files: how they are sent, not what is in them."""

import gzip
import re

import pytest

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
       "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
       "frame-ancestors 'none'")


@pytest.fixture(scope="module")
def api(module_lab):
    return module_lab.receiver(module_lab.broker()).api


def fetch(api, path="/", encoding="identity", **headers):
    return api.get_raw(path, headers={"Accept-Encoding": encoding, **headers}, stream=True)


def raw(answer):
    """The bytes as they were sent."""
    return answer.raw.read(decode_content=False)


def test_the_page(api):
    answer = fetch(api)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in answer.headers
    assert raw(answer).startswith(b"<!doctype html>")


def test_all_that_the_page_names_is_there(api):
    page = fetch(api).text
    names = re.findall(r'(?:src|href)="(/?[^":#]+)"', page)
    assert names
    for name in names:
        assert fetch(api, "/" + name.lstrip("/")).status_code == 200, name


@pytest.mark.parametrize(("accepted", "sent"), [
    ("identity", None), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("br;q=0, gzip", "gzip"),
    ("gzip;q=0, br;q=0", None), ("deflate", None), ("*", "br"),
])
def test_encodings(api, accepted, sent):
    answer = fetch(api, encoding=accepted)
    assert answer.headers.get("Content-Encoding") == sent
    body = raw(answer)
    assert len(body) == int(answer.headers["Content-Length"])
    if sent == "gzip":
        assert gzip.decompress(body) == raw(fetch(api))


def test_no_acceptable_encoding(api):
    answer = fetch(api, encoding="identity;q=0, deflate")
    assert answer.status_code == 406
    assert answer.json()["type"] == "urn:bellbuoy:problem:not-acceptable"


def test_etags(api):
    tags = {}
    for encoding in ("identity", "gzip", "br"):
        tags[encoding] = fetch(api, encoding=encoding).headers["ETag"]
        assert re.fullmatch(r'"[^"]+"', tags[encoding])
    assert len(set(tags.values())) == 3
    for given in (tags["gzip"], "W/" + tags["gzip"], f'"other", {tags["gzip"]}', "*"):
        answer = fetch(api, encoding="gzip", **{"If-None-Match": given})
        assert answer.status_code == 304 and raw(answer) == b""
        assert answer.headers["ETag"] == tags["gzip"]
        assert answer.headers["Vary"] == "Accept-Encoding"
    for given in (tags["br"], '"other"', "garbage"):
        assert fetch(api, encoding="gzip", **{"If-None-Match": given}).status_code == 200


def test_filters_in_the_pages_url(api):
    assert fetch(api, "/?type=hello&anything=else").status_code == 200


def test_what_is_not_there(api):
    answer = fetch(api, "/nothing.html")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "/nothing.html" in answer.json()["detail"]
