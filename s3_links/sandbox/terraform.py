"""Where Terraform takes the AWS provider from: a mirror on this machine, else its registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from s3_links.operations.terraform import LITTLE_COLLECTING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROVIDER = Path("registry.terraform.io/hashicorp/aws")
_USUAL_PREFIXES = ("/opt", "/usr/local", "/usr/local/share", "/usr/share", "/usr/lib", "/srv")


def terraform_settings(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables to run Terraform with, on top of ``environment``.

    A CLI configuration that says where providers come from is left alone, and so are the mirror
    folders that Terraform looks into by itself. Failing both, a mirror in a usual place is named
    in a configuration written to ``folder``. An empty ``TF_CLI_CONFIG_FILE`` in the result takes
    away one that names a missing file.
    """
    settings = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    settings |= {n: environment.get(n, value) for n, value in LITTLE_COLLECTING.items()}
    named = environment.get("TF_CLI_CONFIG_FILE")
    home = Path(environment.get("HOME") or Path.home())
    existing = Path(named) if named else home / ".terraformrc"
    configured = existing.read_text(encoding="utf-8") if existing.is_file() else ""
    if "provider_installation" in configured or any(_holds_provider(m) for m in _implied(home)):
        mirror = None
    else:
        mirror = next((m for m in _usual() if _holds_provider(m)), None)
    if mirror is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "terraform.tfrc"
        file.write_text(f"{configured}\n{_installation(mirror)}", encoding="utf-8")
        return settings | {"TF_CLI_CONFIG_FILE": str(file)}
    if named and not configured:
        return settings | {"TF_CLI_CONFIG_FILE": ""}
    return settings


def _implied(home: Path) -> tuple[Path, ...]:
    """Return Terraform's implied local mirror folders."""
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return (
        home / ".terraform.d/plugins",
        data / "terraform/plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
    )


def _usual() -> Iterator[Path]:
    """Yield the folders under the usual prefixes, two levels deep."""
    for prefix in map(Path, _USUAL_PREFIXES):
        for pattern in ("*", "*/*"):
            yield from sorted(prefix.glob(pattern))


def _holds_provider(folder: Path) -> bool:
    try:
        return any((folder / _PROVIDER).iterdir())
    except OSError:
        return False


def _installation(mirror: Path) -> str:
    source = "/".join(_PROVIDER.parts)
    return (
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = ["{source}"]\n  }}\n'
        f'  direct {{\n    exclude = ["{source}"]\n  }}\n'
        "}\n"
    )
