"""Where things lie."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD_DIR = Path(os.environ.get("BELLBUOY_BUILD_DIR", ROOT / "build" / "dev")).resolve()
RECEIVER = BUILD_DIR / "receiver" / "receiver"
BROADCASTER = BUILD_DIR / "broadcaster" / "broadcaster"
BROKER = BUILD_DIR / "broker" / "broker"
BUOYCTL = BUILD_DIR / "manager" / "ctl" / "buoyctl"
