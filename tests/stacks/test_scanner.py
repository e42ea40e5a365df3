"""What a scanner finds in the plans of hardened links stands in the documents, no more, no less.

Checkov is no dependency: where it is not installed, the test is skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import PROJECT
from tests.support.links import accounts, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("planned")

CHECKOV = shutil.which("checkov")


def bucket(account: str, prefix: str, **more: Any) -> dict[str, Any]:
    return {"account": account, "new_prefix": prefix, **more}


LINKS: dict[str, dict[str, Any]] = {
    "direct": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "scanned", "instance": True}],
        "buckets": [bucket("account2", "scanned-", key="new")],
    },
    "assumed": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "scanned-caller"}],
        "buckets": [bucket("account2", "scanned-")],
        "assumed_role": {"account": "account2", "name": "scanned-worker"},
    },
    "copies": {
        "pattern": "replication",
        "source": bucket("account1", "scanned-from-", key="new"),
        "destination": bucket("account2", "scanned-to-", key="new"),
        "role_name": "scanned-replication",
    },
}


def explained(page: str) -> set[tuple[str, str]]:
    """Return the checks in a page's table, and the resource type that each is about."""
    text = (PROJECT / "docs" / page).read_text()
    return set(re.findall(r"^\| (CKV\w+) \| `(\w+)` \|", text, flags=re.M))


def test_both_languages_explain_the_same_checks() -> None:
    assert explained("hardening.md")
    assert explained("hardening.md") == explained("hardening.ja.md")


@pytest.mark.skipif(
    CHECKOV is None,
    reason="Checkov is not installed: install version 3.3 into an environment of its own "
    "(pip install checkov) and put its command on the PATH",
)
def test_what_checkov_finds_stands_in_the_table(terraform: Terraform, tmp_path: Path) -> None:
    hardened = {name: link | {"hardening": True} for name, link in LINKS.items()}
    result = synthesize(tmp_path, {"accounts": accounts(), "links": hardened})
    assert result.returncode == 0, result.stderr
    plans = tmp_path / "plans"
    plans.mkdir()
    for name in LINKS:
        plan = terraform.plan(tmp_path / "cdktf.out" / "stacks" / name)
        (plans / f"{name}.json").write_text(json.dumps(plan))
    assert CHECKOV is not None
    scan = subprocess.run(
        [
            *(CHECKOV, "--directory", str(plans), "--framework", "terraform_plan"),
            *("--output", "json", "--compact", "--skip-download", "--soft-fail"),
        ],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert scan.returncode == 0, scan.stdout + scan.stderr
    report = json.loads(scan.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 300
    failed = {
        (check["check_id"], check["resource"].partition(".")[0])
        for check in report["results"]["failed_checks"]
    }
    version = report["summary"]["checkov_version"]
    assert failed - explained("hardening.md") == set(), f"Checkov {version} finds more"
    assert explained("hardening.md") - failed == set(), f"Checkov {version} finds less"
