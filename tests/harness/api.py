"""A small client of the receiver's HTTP API (docs/api.md)."""

import re

import requests

from .waiting import PATIENCE_S, scaled

BASE = "/api/v1"
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


class Api:
    """Paths are relative to /api/v1 unless they are probes or the page itself."""

    def __init__(self, url, token=None):
        self.url = url
        self.token = token

    def request(self, method, path, timeout_s=PATIENCE_S, **options):
        """Any request; `path` from the root. Environment proxies are left aside."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, timeout=scaled(timeout_s), **options)

    def get_raw(self, path, **options):
        return self.request("GET", path, **options)

    def get(self, resource, **parameters):
        """GET /api/v1/<resource>?parameters, which must answer 200; the JSON."""
        answer = self.get_raw(f"{BASE}/{resource}", params=parameters)
        assert answer.status_code == 200, f"{answer.url}: {answer.status_code} {answer.text}"
        return answer.json()

    def problem(self, resource, status, **parameters):
        """GET that must fail with that status; the problem document."""
        answer = self.get_raw(f"{BASE}/{resource}", params=parameters)
        assert answer.status_code == status, f"{answer.url}: {answer.status_code} {answer.text}"
        assert answer.headers["Content-Type"] == "application/problem+json", answer.headers
        problem = answer.json()
        assert problem["status"] == status, problem
        return problem

    def pages(self, resource, **parameters):
        """Each page of a collection, following `next`."""
        page = self.get(resource, **parameters)
        yield page
        while page["next"]:
            answer = self.get_raw(page["next"])
            assert answer.status_code == 200, f"{answer.url}: {answer.status_code} {answer.text}"
            page = answer.json()
            yield page

    def events(self, **parameters):
        """One page of events."""
        return self.get("events", **parameters)["events"]

    def all_events(self, **parameters):
        """Every event that matches, oldest first unless `order` says otherwise."""
        parameters = {"order": "asc", "limit": 1000, **parameters}
        return [event for page in self.pages("events", **parameters) for event in page["events"]]

    def cursor(self):
        """The journal's last cursor."""
        return self.get("events", limit=1)["cursor"]

    def stats(self):
        return self.get("stats")

    def sources(self):
        """{"/machines/press-7": {...}, ...}"""
        return {one["source"]: one for page in self.pages("sources") for one in page["sources"]}

    def incidents(self, **parameters):
        return self.get("incidents", **parameters)["incidents"]

    def quarantine(self, **parameters):
        return self.get("quarantine", **parameters)["quarantine"]

    def ready(self):
        """/readyz whatever its status; the JSON."""
        return self.get_raw("/readyz").json()

    def post_event(self, body, token=None, content_type="application/json", **options):
        """POST events with our token; the raw response. A dict is sent as JSON."""
        headers = {"Content-Type": content_type, **options.pop("headers", {})}
        bearer = self.token if token is None else token
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if isinstance(body, dict):
            options["json"] = body
        else:
            options["data"] = body
        return self.request("POST", f"{BASE}/events", headers=headers, **options)

    def metrics(self):
        """{'bellbuoy_x_total{label="a"}': 3.0, ...}"""
        text = self.get_raw("/metrics").text
        return {name: float(value) for name, value in _SAMPLE.findall(text)}
