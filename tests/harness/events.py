"""CloudEvents as a machine would send them (docs/events.md)."""

import datetime

BOOT_ID = "5b0e9d6f41c27a83"


def now(offset_s=0.0):
    """RFC 3339 with microseconds, UTC."""
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=offset_s)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def topic(source="press-7", kind="hello"):
    return f"bellbuoy/events/{source}/{kind}"


def cloud_event(kind, data, sequence=1, source="press-7", bootid=BOOT_ID, **attributes):
    """A valid event of one of our types; an attribute given as None is left out."""
    event = {
        "specversion": "1.0",
        "type": f"bellbuoy.{kind}.v1",
        "source": f"/machines/{source}",
        "id": f"{bootid}-{sequence:012d}",
        "time": now(),
        "datacontenttype": "application/json",
        "bootid": bootid,
        "sequence": f"{sequence:012d}",
        "data": data,
        **attributes,
    }
    return {name: value for name, value in event.items() if value is not None}


def hello(sequence=1, text="Hello world", color="#2f81f7", **attributes):
    data = {"text": text, "color": color, "next_in_ms": 4210}
    return cloud_event("hello", data, sequence, **attributes)


def event(sequence=1, criticality=5, message="Pressure high", **attributes):
    data = {"criticality": criticality, "timestamp": now(), "eventMessage": message}
    return cloud_event("event", data, sequence, **attributes)


def session(sequence=1, energy_kwh=12.5, duration_s=3600, cost_cents=437, **attributes):
    data = {
        "session_id": f"session-{sequence}",
        "timestamp": int(datetime.datetime.now(datetime.UTC).timestamp()),
        "energy_delivered_in_kwh": energy_kwh,
        "duration_in_seconds": duration_s,
        "session_cost_in_cents": cost_cents,
    }
    return cloud_event("session", data, sequence, **attributes)
