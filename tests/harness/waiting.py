"""Waiting for conditions: tests never sleep for a guessed time."""

import os
import time

import requests

# Instrumented builds (ThreadSanitizer, coverage) are slower; scripts/test.sh sets the factor.
TIMEOUT_SCALE = float(os.environ.get("BELLBUOY_TIMEOUT_SCALE", "1"))

# What a machine with much else to do may need for anything: waiting ends as soon as the condition holds.
PATIENCE_S = 30.0

# What a condition may raise while it does not hold yet.
NOT_YET = (AssertionError, OSError, LookupError, requests.RequestException)


def scaled(timeout_s):
    """The timeout as it counts for the build under test."""
    return timeout_s * TIMEOUT_SCALE


def eventually(condition, timeout_s=PATIENCE_S, interval_s=0.02, message=""):
    """Calls condition() until it returns something true, and returns that.

    A condition may also assert, or fail with an OSError, a LookupError or a requests exception: that
    counts as "not yet". After timeout_s (scaled) the last value or exception is in the failure.
    """
    deadline = time.monotonic() + scaled(timeout_s)
    while True:
        error = None
        value = None
        try:
            value = condition()
        except NOT_YET as exception:
            error = exception
        if error is None and value:
            return value
        if time.monotonic() > deadline:
            last = f"last error: {error!r}" if error else f"last value: {value!r}"
            what = message or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"not within {scaled(timeout_s):g} s: {what}; {last}") from error
        time.sleep(interval_s)
