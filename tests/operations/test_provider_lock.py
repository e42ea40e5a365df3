"""The committed provider lock: it fits the bindings, and stops another provider."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROJECT
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("planned")

LOCK = PROJECT / ".terraform.lock.hcl"


def place_with_lock(folder: Path, terraform: Terraform, lock: str) -> Workplace:
    place = Workplace(folder, terraform.environment)
    (folder / LOCK.name).unlink()
    (folder / LOCK.name).write_text(lock)
    consumer = {"account": "account1", "new_role": "locked"}
    bucket = {"account": "account2", "new_prefix": "locked-"}
    link = {"pattern": "direct-access", "consumers": [consumer], "buckets": [bucket]}
    place.declare({"accounts": accounts(), "links": {"locked": link}})
    assert place.run(sys.executable, "main.py").returncode == 0
    return place


def test_it_holds_the_version_of_the_bindings_for_every_platform() -> None:
    text = LOCK.read_text()
    assert re.search(r'version += "5\.100\.0"', text)
    assert len(re.findall('"zh:[0-9a-f]{64}"', text)) == 15  # an archive for each platform
    assert '"h1:' in text


def test_terraform_takes_it_and_leaves_it_as_it_is(terraform: Terraform, tmp_path: Path) -> None:
    place = place_with_lock(tmp_path, terraform, LOCK.read_text())
    done = place.terraform("locked", "init", "-lockfile=readonly", "-no-color")
    assert done.returncode == 0, done.stderr
    assert (place.stack("locked") / LOCK.name).read_text() == LOCK.read_text()


def test_another_provider_is_refused(terraform: Terraform, tmp_path: Path) -> None:
    other = re.sub(r"h1:....", "h1:AAAA", LOCK.read_text())
    done = place_with_lock(tmp_path, terraform, other).terraform("locked", "init", "-no-color")
    assert done.returncode == 1
    assert "doesn't match any of the checksums" in " ".join(done.stderr.split())


def test_without_a_lock_terraform_chooses(terraform: Terraform, tmp_path: Path) -> None:
    place = place_with_lock(tmp_path, terraform, LOCK.read_text())
    (tmp_path / LOCK.name).unlink()
    shutil.rmtree(place.folder / "cdktf.out")
    assert place.run(sys.executable, "main.py").returncode == 0
    assert not (place.stack("locked") / LOCK.name).exists()
    assert place.terraform("locked", "init").returncode == 0
