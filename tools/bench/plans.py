"""What planning takes with Terraform's own garbage collection, and with ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from s3_links.sandbox.emulator import Emulator
from s3_links.sandbox.terraform import terraform_settings

from .declared import LINKS
from .measuring import RUNS, of_children, report

PLANNED = 4
"""Links, each in a stack of its own."""
SHARE_OF_A_PLAN = 9 / 10


def plan() -> bool:
    """Print both sides' processor time of a link's plan; return whether the promise is kept."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    sides = {"usual": {"GOGC": "100", "GOMEMLIMIT": "off"}, "ours": {}}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    few = dict(list(LINKS["links"].items())[:PLANNED])
    try:
        (folder / "links.json").write_text(json.dumps({**LINKS, "links": few}))
        with Emulator(folder / "emulator") as emulator:
            settings = os.environ | emulator.environment
            for _ in range(RUNS):
                for name, side in sides.items():
                    environment = settings | terraform_settings(folder, os.environ | side)
                    start = of_children()
                    subprocess.run(
                        [sys.executable, "-m", "s3_links", "plan"],
                        cwd=folder,
                        env=environment,
                        stdout=subprocess.DEVNULL,
                        check=True,
                    )
                    seconds[name].append((of_children() - start) / PLANNED)
                    shutil.rmtree(folder / "cdktf.out")
    finally:
        shutil.rmtree(folder)
    return report(
        "s3-links plan, CPU of a link",
        "s",
        seconds["usual"],
        seconds["ours"],
        limit=SHARE_OF_A_PLAN,
        than="usual",
    )
