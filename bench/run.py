"""Runs the measurements, prints one table, writes build/bench/results.json."""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import fanout
import ingest
import latency
import manager
import process
import resume
from harness import BUILD_DIR, Lab

MEASUREMENTS = {
    "fanout": fanout.measure,
    "ingest": ingest.measure,
    "resume": resume.measure,
    "latency": latency.measure,
    "idle": process.measure_idle,
    "start": process.measure_start,
    "manager": manager.measure,
}
COLUMNS = ("measured", "value", "floor or peer", "value", "ratio", "budget")


def options():
    parser = argparse.ArgumentParser(prog="bench/run.sh")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it runs")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parsed = parser.parse_args()
    unknown = set(parsed.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no measurement is named {', '.join(sorted(unknown))}; "
                     f"there are {', '.join(MEASUREMENTS)}")
    return parsed


def cell(value, unit):
    return "" if value is None else f"{value:,.{0 if abs(value) >= 100 else 2}f} {unit}".strip()


def print_table(rows):
    lines = [COLUMNS] + [
        (row.name, cell(row.value, row.unit), row.peer, cell(row.peer_value, row.unit),
         "" if row.ratio is None else f"{row.ratio:.2f}", row.budget)
        for row in rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    for line in lines:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |")
        if line is COLUMNS:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def machine():
    with open("/proc/cpuinfo", encoding="ascii") as cpuinfo:
        model = next((line.split(": ", 1)[1].strip() for line in cpuinfo if "model name" in line), "?")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release()}


def main():
    chosen = options()
    rows = []
    for name in chosen.names or MEASUREMENTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="bellbuoy-bench-") as folder:
            lab = Lab(Path(folder))
            try:
                rows += MEASUREMENTS[name](lab, chosen.quick)
            finally:
                lab.close()
    print_table(rows)
    results = {"machine": machine(), "quick": chosen.quick, "rows": [row.as_dict() for row in rows]}
    (BUILD_DIR / "results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
