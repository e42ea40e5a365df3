"""The providers that Terraform downloaded, kept from one run to the next.

Follows "Provider Plugin Cache" in "CLI Configuration File" of the Terraform documentation. As it
downloads, Terraform writes into such a cache, and it takes what an interrupted run left half there.
So each run has one of its own, which begins with links to what earlier ones have got whole.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = "*/*/*/*/*"
"""Host, namespace, type, version and platform."""


class Providers:
    """The plugin cache of one run, at ``folder``; ``kept`` outlives it."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self.folder, self._kept = folder, kept
        folder.mkdir(exist_ok=True)
        for package in self._packages(kept):
            here = folder / package
            here.parent.mkdir(parents=True, exist_ok=True)
            here.symlink_to(kept / package, target_is_directory=True)

    def keep(self) -> None:
        """Keep what was downloaded in this run. A mirror's packages are links, and stay its own."""
        for package in self._packages(self.folder):
            if not (self.folder / package).is_symlink():
                self._keep(package)

    def _keep(self, package: Path) -> None:
        place = self._kept / package
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self._kept) as new:
            whole = shutil.copytree(self.folder / package, Path(new) / "package")
            if not place.exists():  # another run may have been faster
                whole.rename(place)

    @staticmethod
    def _packages(cache: Path) -> Iterator[Path]:
        yield from (path.relative_to(cache) for path in cache.glob(_PACKAGES) if path.is_dir())
