"""Measure what is promised of speed: ``python -m tools.bench``.

A synthesis with the slim bindings against the usual import: both sides synthesize the same stack in
the same run, taking turns. Then the difference that a plan makes,
the proof of many links, and plans with and without Terraform's usual garbage collection; each of
``compare``, ``prove`` and ``plan`` can be named to run it alone. Prints medians and ratios, and
fails where one misses what is promised or the two outputs differ by a byte.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from s3_links.operations.summary import summarize
from s3_links.synthesized.blocks import aliases_of, declared_blocks

PROJECT = Path(__file__).parents[1]
RUNS = 5
CDKTF = PROJECT / "node_modules" / ".bin" / "cdktf"
STACK = Path("stacks/s3-multi-account-deploy/cdk.tf.json")
# The bindings that are imported first are the ones that are used.
USUAL = "import runpy, cdktf_cdktf_provider_aws; runpy.run_path('main.py', run_name='__main__')"
APPS = {"usual": [sys.executable, "-c", USUAL], "ours": [sys.executable, "main.py"]}

ALIASES = ("account1", "account2")
LINKS: dict[str, dict[str, Any]] = {
    "accounts": {
        alias: {"region": "eu-west-1", "profile": alias, "account_id": str(number) * 12}
        for number, alias in enumerate(ALIASES, 1)
    },
    "links": {
        f"link-{n}": {
            "pattern": "direct-access",
            "consumers": [{"account": "account1", "new_role": f"r-{n}-{r}"} for r in range(5)],
            "buckets": [{"account": a, "new_prefix": f"b-{n}-", "key": "new"} for a in ALIASES],
            "access": {"level": "read-write-delete", "prefixes": ["a/", "b/"]},
            "hardening": True,
        }
        for n in range(40)
    },
}


@dataclass(frozen=True)
class Case:
    """One thing to measure, and the largest share of the usual side that it may take."""

    name: str
    seconds: float
    memory: float | None = None
    cold: bool = False
    cli: bool = False


CASES = (
    Case("python main.py", seconds=1 / 10, memory=1 / 4),
    Case("cdktf synth", seconds=1 / 5, cli=True),
    Case("python main.py, cold jsii cache", seconds=1 / 4, cold=True),
)


@dataclass
class Side:
    """What one side took: seconds, and megabytes of it and its children at their peak."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def measure(case: Case, app: list[str], folder: Path) -> tuple[float, float]:
    """Run ``app`` once with its output in ``folder``; return its seconds and megabytes."""
    command = app
    if case.cli:
        script = folder / "app.sh"
        script.write_text(f'exec "{app[0]}" ' + " ".join(f'"{word}"' for word in app[1:]))
        command = [str(CDKTF), "synth", "--app", f"sh {script}", "--output", str(folder)]
    environment = os.environ | {"CDKTF_OUTDIR": str(folder), "CHECKPOINT_DISABLE": "1"}
    if case.cold:
        environment["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(folder / "jsii")
    peak = 0
    start = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(root))
            time.sleep(0.02)
    elapsed = time.perf_counter() - start
    if process.returncode:
        sys.exit((folder / "log").read_text(errors="replace"))
    return elapsed, peak / 2**20


def _resident(root: psutil.Process) -> int:
    total = 0
    try:
        for process in [root, *root.children(recursive=True)]:
            total += process.memory_info().rss
    except psutil.Error:  # one of them has just ended
        pass
    return total


def main() -> None:
    """Run every case, print the table, and exit with 1 if a promise is not kept."""
    parts = {"compare": _compare, "prove": _prove, "plan": _plan}
    for name in sys.argv[1:] or parts:
        parts[name]()


def _prove() -> None:
    """Print how long the proof of 40 links of 10 grants takes, without their synthesis."""
    from s3_links.declarations.read_links import read_links
    from s3_links.operations.prove import proofs
    from s3_links.operations.stack import synthesized

    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        (folder / "links.json").write_text(json.dumps(LINKS))
        app = [sys.executable, "-m", "s3_links", "app"]
        subprocess.run(app, cwd=folder, check=True)
        os.environ["CDKTF_OUTDIR"] = str(folder / "cdktf.out")
        links = read_links(folder / "links.json")
        stacks = synthesized()
        seconds = []
        for _ in range(RUNS):
            start = time.process_time()
            found = proofs(stacks, links, named=False)
            seconds.append(time.process_time() - start)
    finally:
        shutil.rmtree(folder)
    grants = sum(proof.grants for proof in found)
    proved = all(proof.proved for proof in found)
    took = f"{statistics.median(seconds):.2f} s of processor time"
    print(f"{len(found)} links, {grants} grants {'proved' if proved else 'NOT PROVED'} in {took}")
    if not proved:
        sys.exit(1)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PLANNED = 4
"""Links, each in a stack of its own."""
SHARE_OF_A_PLAN = 9 / 10


def _plan() -> None:
    """Print what planning takes with Terraform's own garbage collection, and with ours."""
    from s3_links.sandbox.emulator import Emulator
    from s3_links.sandbox.terraform import terraform_settings

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
                    start = _of_children()
                    subprocess.run(
                        [sys.executable, "-m", "s3_links", "plan"],
                        cwd=folder,
                        env=environment,
                        stdout=subprocess.DEVNULL,
                        check=True,
                    )
                    seconds[name].append((_of_children() - start) / PLANNED)
                    shutil.rmtree(folder / "cdktf.out")
    finally:
        shutil.rmtree(folder)
    if not _report("s3-links plan, CPU of a link", "s", seconds, SHARE_OF_A_PLAN):
        sys.exit(1)


def _compare() -> None:
    kept = True
    outputs = set()
    for case in CASES:
        sides = {name: Side() for name in APPS}
        for run in range(RUNS + 1):
            for name, app in APPS.items():
                folder = Path(tempfile.mkdtemp(prefix="bench-"))
                try:
                    seconds, megabytes = measure(case, app, folder)
                    outputs.add((folder / STACK).read_bytes())
                finally:
                    shutil.rmtree(folder)
                if run or case.cold:  # the first warms the caches
                    sides[name].seconds.append(seconds)
                    sides[name].megabytes.append(megabytes)
        kept &= _report(case.name, "s", {n: s.seconds for n, s in sides.items()}, case.seconds)
        if case.memory is not None:
            values = {n: s.megabytes for n, s in sides.items()}
            kept &= _report(case.name, "MB", values, case.memory)
    identical = len(outputs) == 1
    print(f"JSON of both sides: {'identical' if identical else 'DIFFERENT'}")
    kept &= _difference()
    if not (kept and identical):
        sys.exit(1)


SECONDS_A_LINK = 0.2


def _difference() -> bool:
    """Compare first plans of links with nothing, and return whether that was fast enough."""
    seconds = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        (Path(folder) / "links.json").write_text(json.dumps(LINKS))
        subprocess.run([sys.executable, PROJECT / "main.py"], cwd=folder, check=True)
        for file in Path(folder).glob("cdktf.out/stacks/*/cdk.tf.json"):
            source = json.loads(file.read_text())
            blocks = [block | {"values": {}} for block in declared_blocks(source)]
            plan = {"planned_values": {"root_module": {"resources": blocks}}}
            start = time.process_time()
            summary = summarize(file.parent.name, plan, source, aliases_of(source))
            seconds.append(time.process_time() - start)
            assert summary.appears
    median = statistics.median(seconds)
    print(f"a plan's difference, a link of 10 grants: {median:.2f} s (promised {SECONDS_A_LINK})")
    return bool(seconds) and median <= SECONDS_A_LINK


def _report(name: str, unit: str, sides: dict[str, list[float]], limit: float) -> bool:
    usual, ours = (statistics.median(sides[side]) for side in ("usual", "ours"))
    kept = ours <= usual * limit
    verdict = "" if kept else "  NOT KEPT"
    print(
        f"{name:33} usual {usual:8.2f} {unit:2}  ours {ours:7.2f} {unit:2}  "
        f"1/{usual / ours:.1f} (promised 1/{1 / limit:.3g}){verdict}",
        flush=True,
    )
    return kept


if __name__ == "__main__":
    main()
