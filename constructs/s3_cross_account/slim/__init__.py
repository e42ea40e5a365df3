"""Load a slim jsii assembly of the AWS provider instead of the whole one.

Why: the Python package imports some 1,400 submodules when it is first touched, and its Node.js
half then evaluates 200 MB of JavaScript (hashicorp/terraform-cdk issue 3753). This project uses
a few dozen resource types. Measured, the slim assembly makes a synthesis about ten times
faster, with the same output to the byte; ``make bench`` prints the ratios.

There is one for the version that is tested here, one for the last version ever, which an
installation takes that asks for none, and one for the bindings of ``cdktn``.

How: an empty module takes the place of the package, so that its ``__init__`` is
never run. Its search path is this package's ``overlay`` folder, which holds a ``_jsii`` that
loads the slim assembly, followed by the installed package, from which the wanted submodules come as
they are. Node.js is given an assembly when the first object of it is made: if a resource type that
the slim one lacks has been imported by then, it is the whole one. Whatever does not fit (another
version, a missing or different assembly) falls back to the usual import, or to the whole assembly,
with one warning: slower, never wrong.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import warnings
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from s3_cross_account.successor import real_name

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "cdktf_cdktf_provider_aws"
"""The package in the sources."""
PACKAGE = real_name(NAME)
DISTRIBUTION = PACKAGE.replace("_", "-")
OVERLAY = Path(__file__).with_name("overlay")
MANIFEST = OVERLAY / "_jsii" / "manifest.json"

BESIDE = ("provider_functions",)
"""What the provider's module imports in the bindings of ``cdktn``."""
_ASSEMBLY = f"@{PACKAGE.partition('_')[0]}/provider-aws"
_USES = ("create", "sget", "sset", "sinvoke")
"""What of the kernel's provider names a type of an assembly before there is an object of it."""


def use_slim_assembly() -> None:
    """Make imports of the AWS bindings load the slim assembly, or warn once and change nothing.

    Does nothing when the bindings were imported before: the whole assembly is loaded then, and
    every resource type can be used.
    """
    if PACKAGE in sys.modules:
        return
    try:
        _install(json.loads(MANIFEST.read_text(encoding="utf-8")))
    except Exception as error:  # anything unexpected has the same answer: the usual import
        _uninstall()
        _warn(error)


def load_when_used() -> None:
    """Load an assembly into the jsii kernel as soon as one of its types is used."""
    import jsii

    provider = jsii.kernel.provider

    def watched(use: str) -> Callable[[Any], Any]:
        method = getattr(provider, use)

        def call(request: Any) -> Any:
            if request.fqn.startswith(f"{_ASSEMBLY}."):
                for other in _USES:  # what its class has for it comes to light again
                    delattr(provider, other)
                _load()
            return method(request)

        return call

    for use in _USES:
        setattr(provider, use, watched(use))


def _load() -> None:
    import jsii

    version, folder = installed()
    finder = next(finder for finder in sys.meta_path if isinstance(finder, _LeftOut))
    finder.loaded = True
    if not finder.asked_for:
        try:
            jsii.JSIIAssembly.load(_ASSEMBLY, version, PACKAGE, str(tarball(version)))
            return
        except Exception as error:
            _warn(error)
            finder.asked_for = True
    (whole,) = folder.glob("_jsii/*.jsii.tgz")
    jsii.JSIIAssembly.load(_ASSEMBLY, version, PACKAGE, str(whole))


def _warn(error: Exception) -> None:
    warnings.warn(
        f"the slim AWS bindings cannot be used ({error}); importing all of {DISTRIBUTION} "
        "instead, which takes about ten seconds longer. `make bindings` builds them anew.",
        stacklevel=4,
    )


def installed() -> tuple[str, Path]:
    """Return the version and the folder of the installed AWS bindings, without importing them."""
    distribution = importlib.metadata.distribution(DISTRIBUTION)
    folder = Path(str(distribution.locate_file(PACKAGE)))
    if not folder.is_dir():
        raise RuntimeError(f"{folder} is not a folder")
    return distribution.version, folder


def tarball(version: str) -> Path:
    """Return where the slim assembly of this version of the bindings is, if there is one."""
    return OVERLAY / "_jsii" / f"provider-aws-{version}.tgz"


def _install(manifest: dict[str, Any]) -> None:
    version, folder = installed()
    modules, versions = manifest["modules"], manifest["versions"][DISTRIBUTION]
    if version not in versions:
        raise RuntimeError(f"made for version {' and '.join(versions)}, found {version}")

    stand_in = ModuleType(PACKAGE, "Stand-in: see s3_cross_account.slim.")
    stand_in.__spec__ = ModuleSpec(PACKAGE, None, is_package=True)
    stand_in.__path__ = [str(OVERLAY), str(folder)]
    stand_in.__spec__.submodule_search_locations = stand_in.__path__
    sys.modules[PACKAGE] = stand_in
    sys.meta_path.insert(0, _LeftOut(frozenset(modules)))
    importlib.import_module(f"{PACKAGE}._jsii")


def _uninstall() -> None:
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _LeftOut)]
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


class _LeftOut(MetaPathFinder):
    """Notes when a module is imported that the slim assembly lacks.

    Refuses it where that one is loaded already, before jsii fails obscurely on its types.
    """

    def __init__(self, modules: frozenset[str]) -> None:
        self._modules = modules | {"_jsii", *BESIDE}
        self.asked_for = False
        """Whether the whole assembly is needed."""
        self.loaded = False

    def find_spec(self, fullname: str, *_: object) -> None:
        package, *submodules = fullname.split(".")
        if package != PACKAGE or not submodules or submodules[0] in self._modules:
            return
        if self.loaded and not self.asked_for:
            raise ImportError(
                f"{fullname} is not in the slim AWS bindings. Inside s3_cross_account: import it "
                "in bindings.py and run `make bindings`. In your own code: import it, or "
                f"`import {PACKAGE}` before s3_cross_account, at the top of a module: before the "
                "first AWS resource is made.",
                name=fullname,
            )
        self.asked_for = True
