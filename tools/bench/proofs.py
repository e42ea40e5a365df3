"""How long the proof of many links takes, and the difference that a plan makes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from s3_links.declarations.read_links import read_links
from s3_links.operations.prove import proofs
from s3_links.operations.stack import synthesized
from s3_links.operations.summary import summarize
from s3_links.synthesized.blocks import aliases_of, declared_blocks

from .declared import LINKS
from .measuring import RUNS

SECONDS_A_LINK = 0.2


def prove() -> bool:
    """Print how long the proofs and the differences of 40 links of 10 grants take."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "links.json").write_text(json.dumps(LINKS))
        app = [sys.executable, "-m", "s3_links", "app"]
        subprocess.run(app, cwd=folder, check=True)
        return all([_proofs(folder), _differences(folder)])


def _proofs(folder: Path) -> bool:
    os.environ["CDKTF_OUTDIR"] = str(folder / "cdktf.out")
    links = read_links(folder / "links.json")
    stacks = synthesized()
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        found = proofs(stacks, links, named=False)
        seconds.append(time.process_time() - start)
    grants = sum(proof.grants for proof in found)
    proved = all(proof.proved for proof in found)
    took = f"{statistics.median(seconds):.2f} s of processor time"
    print(f"{len(found)} links, {grants} grants {'proved' if proved else 'NOT PROVED'} in {took}")
    return proved


def _differences(folder: Path) -> bool:
    """Compare first plans of links with nothing, and return whether that was fast enough."""
    seconds = []
    for file in folder.glob("cdktf.out/stacks/*/cdk.tf.json"):
        source = json.loads(file.read_text())
        blocks = [block | {"values": {}} for block in declared_blocks(source)]
        plan = {"planned_values": {"root_module": {"resources": blocks}}}
        start = time.process_time()
        summary = summarize(file.parent.name, plan, source, aliases_of(source))
        seconds.append(time.process_time() - start)
        assert summary.appears
    median = statistics.median(seconds)
    print(f"a plan's difference, a link of 10 grants: {median:.2f} s (promised {SECONDS_A_LINK})")
    return median <= SECONDS_A_LINK
