"""Providers are downloaded once: the real Terraform, with a provider that does nothing."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from s3_links.operations.terraform import binary
from s3_links.sandbox.providers import Providers

pytestmark = pytest.mark.cost("planned")

PACKAGE = "registry.example/acme/none/1.0.0"
CONFIGURATION = """
terraform {
  required_providers {
    none = { source = "registry.example/acme/none" }
  }
}
"""


def make_mirror(folder: Path, platform: str) -> Path:
    """Make a mirror of packed packages, which Terraform unpacks as it does what it downloads."""
    place = folder / "registry.example/acme/none"
    place.mkdir(parents=True)
    with zipfile.ZipFile(place / f"terraform-provider-none_1.0.0_{platform}.zip", "w") as packed:
        packed.writestr("terraform-provider-none_v1.0.0", "")
    settings = folder / "settings.tfrc"
    settings.write_text(
        f'provider_installation {{\n  filesystem_mirror {{ path = "{folder}" }}\n}}\n'
    )
    return settings


def init(folder: Path, settings: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    (folder / "main.tf").write_text(CONFIGURATION)
    environment = os.environ | {
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_PLUGIN_CACHE_DIR": str(cache),
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "true",
    }
    return subprocess.run(
        [binary(), "init"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def platform() -> str:
    said = subprocess.run([binary(), "version"], capture_output=True, text=True, check=True).stdout
    return next(line[3:] for line in said.splitlines() if line.startswith("on "))


def test_what_a_run_downloaded_the_next_one_has(tmp_path: Path) -> None:
    kept, on = tmp_path / "kept", platform()
    kept.mkdir()
    settings = make_mirror(tmp_path / "mirror", on)

    first = Providers(tmp_path / "first", kept)
    assert init(tmp_path / "one", settings, first.folder).returncode == 0
    assert list(kept.iterdir()) == []
    first.keep()
    assert (kept / PACKAGE / on / "terraform-provider-none_v1.0.0").is_file()
    assert [path.name for path in kept.iterdir()] == ["registry.example"]
    shutil.rmtree(tmp_path / "first")

    second = Providers(tmp_path / "second", kept)
    assert (second.folder / PACKAGE / on).is_symlink()
    again = init(tmp_path / "two", settings, second.folder)
    assert again.returncode == 0, again.stderr
    assert "from the shared cache directory" in again.stdout
    second.keep()  # another run's, or its own again


def test_a_half_of_a_package_is_not_kept_without_being_told_to(tmp_path: Path) -> None:
    kept, on = tmp_path / "kept", platform()
    kept.mkdir()
    run = Providers(tmp_path / "run", kept)
    (run.folder / PACKAGE / on).mkdir(parents=True)  # as an interrupted download leaves it
    assert list(kept.iterdir()) == []
    assert list(Providers(tmp_path / "next", kept).folder.iterdir()) == []


def test_the_packages_of_a_mirror_stay_its_own(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    run, mirror = Providers(tmp_path / "run", kept), tmp_path / "mirror"
    mirror.mkdir()
    (run.folder / PACKAGE).mkdir(parents=True)
    (run.folder / PACKAGE / "linux_amd64").symlink_to(mirror, target_is_directory=True)
    run.keep()
    assert list(kept.iterdir()) == []
