"""The reference's synthesis against the usual import, cdktf's successor, and cdktf alone."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from .measuring import BARE, PROJECT, RUNS, measure, report

CDKTF = PROJECT / "node_modules" / ".bin" / "cdktf"
CDKTN = PROJECT / ".tools" / "cdktn"
STACK = Path("stacks/s3-multi-account-deploy/cdk.tf.json")
# The bindings that are imported first are the ones that are used.
_USUAL = "import runpy, {0}; runpy.run_path('main.py', run_name='__main__')"


def _imported(package: str) -> list[str]:
    return [sys.executable, "-c", _USUAL.format(package)]


APPS = {
    "usual": _imported("cdktf_cdktf_provider_aws"),
    "cdktn": _imported("cdktn_provider_aws"),
    "ours": [sys.executable, "main.py"],
}


@dataclass(frozen=True)
class Case:
    """One thing to measure, and the largest share of another side that it may take."""

    name: str
    seconds: dict[str, float]
    memory: dict[str, float] = field(default_factory=dict)
    cold: bool = False
    cli: bool = False


CASES = (
    Case(
        "python main.py",
        seconds={"usual": 1 / 12, "cdktn": 1 / 4, "import cdktf": 1.6},
        memory={"usual": 1 / 4},
    ),
    Case("cdktf synth", seconds={"usual": 1 / 5}, cli=True),
    Case("python main.py, cold jsii cache", seconds={"usual": 1 / 4}, cold=True),
)


def compare() -> bool:
    """Print every case, each side in turn; return whether all of them keep what is promised."""
    if not (CDKTN / ".installed").exists():
        print("cdktn is not installed here (`make test-cdktn` does it): not compared with it")
    kept = [_case(case) for case in CASES]
    return all(kept)


def _case(case: Case) -> bool:
    apps = {
        name: app
        for name, app in (APPS | {"import cdktf": BARE}).items()
        if name == "ours" or name in case.seconds
        if name != "cdktn" or (CDKTN / ".installed").exists()
    }
    seconds, megabytes = defaultdict(list), defaultdict(list)
    outputs = {}
    for run in range(RUNS + 1):
        for name, app in apps.items():
            folder = Path(tempfile.mkdtemp(prefix="bench-"))
            try:
                took, held = _measured(case, name, app, folder)
                if app is not BARE:
                    outputs[name] = (folder / STACK).read_bytes()
            finally:
                shutil.rmtree(folder)
            if run or case.cold:  # the first warms the caches
                seconds[name].append(took)
                megabytes[name].append(held)
    kept = [
        report(case.name, unit, values[than], values["ours"], limit=limit, than=than)
        for unit, values, limits in (
            ("s", seconds, case.seconds),
            ("MB", megabytes, case.memory),
        )
        for than, limit in limits.items()
        if than in apps
    ]
    if outputs["ours"] != outputs["usual"]:
        print("the JSON of both sides is DIFFERENT")
        return False
    if "cdktn" in outputs and _without_version(outputs["cdktn"]) != _without_version(
        outputs["ours"]
    ):
        print("the JSON of cdktn is DIFFERENT")
        return False
    return all(kept)


def _measured(case: Case, name: str, app: list[str], folder: Path) -> tuple[float, float]:
    environment = {"PYTHONPATH": str(CDKTN)} if name == "cdktn" else {}
    if case.cold:
        environment["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(folder / "jsii")
    if not case.cli:
        return measure(app, folder, environment=environment)
    script = folder / "app.sh"
    script.write_text(f'exec "{app[0]}" ' + " ".join(f'"{word}"' for word in app[1:]))
    command = [str(CDKTF), "synth", "--app", f"sh {script}", "--output", str(folder)]
    return measure(command, folder, environment=environment)


def _without_version(written: bytes) -> object:
    content = json.loads(written)
    del content["//"]["metadata"]["version"]
    return content
