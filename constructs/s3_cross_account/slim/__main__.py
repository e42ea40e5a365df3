"""Build the slim assemblies: ``python -m s3_cross_account.slim WHEEL ...``.

Takes from wheels of the AWS bindings what ``bindings.py`` imports, and writes it
reproducibly: the same bindings and the same imports give the same bytes.
"""

from __future__ import annotations

import ast
import gzip
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import BESIDE, MANIFEST, NAME, tarball

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_BINDINGS = Path(__file__).parents[1] / "bindings.py"
# Of no use at run time, and most of the manifest's size.
_DOCUMENTATION = {"docs", "locationInModule", "readme", "dependencyClosure"}


def imported_modules(source: Path = _BINDINGS) -> list[str]:
    """Return the submodules of the AWS bindings that ``source`` imports from, sorted."""
    prefix = f"{NAME}."
    return sorted(
        node.module.removeprefix(prefix)
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(prefix)
    )


def build(modules: list[str], package: Traversable) -> tuple[str, bytes]:
    """Return the version of the bindings in ``package``, and their ``modules`` as a tarball."""
    asked = {module.replace("_", "-"): module for module in modules}
    wanted = {*asked, *(module.replace("_", "-") for module in BESIDE)}
    files: dict[str, bytes] = {}
    (source,) = (f for f in package.joinpath("_jsii").iterdir() if f.name.endswith(".jsii.tgz"))
    version = source.name.removeprefix("provider-aws@").removesuffix(".jsii.tgz")
    with source.open("rb") as file, tarfile.open(fileobj=file) as whole:
        for member in whole:
            path = Path(member.name).relative_to("package")
            in_wanted_module = path.parts[:1] == ("lib",) and path.parts[1] in wanted
            if str(path) in {".jsii", "package.json", "LICENSE"} or (
                in_wanted_module and path.suffix == ".js"
            ):
                content = whole.extractfile(member)
                assert content is not None
                files[str(path)] = content.read()

    assembly = json.loads(files[".jsii"])
    names = {
        fqn: directory
        for fqn, submodule in assembly["submodules"].items()
        if (directory := submodule["symbolId"].split("/")[1]) in wanted
    }
    if absent := set(asked) - set(names.values()):
        missing = ", ".join(sorted(asked[directory] for directory in absent))
        raise SystemExit(f"{assembly['name']} {version} has no {missing}")
    assembly["submodules"] = {fqn: assembly["submodules"][fqn] for fqn in names}
    assembly["types"] = {
        fqn: spec for fqn, spec in assembly["types"].items() if _submodule(fqn) in names
    }
    files[".jsii"] = json.dumps(_strip(assembly), separators=(",", ":"), sort_keys=True).encode()
    files["lib/index.js"] = _lazy_index(names)
    scripts = {name: code for name, code in files.items() if name.endswith(".js")}
    for name, code in scripts.items():
        files[name] = code.split(b"\n//# sourceMappingURL=")[0] + b"\n"
    return version, _tarball(files)


def _submodule(fqn: str) -> str:
    return fqn.rpartition(".")[0]


def _strip(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _strip(value) for key, value in node.items() if key not in _DOCUMENTATION}
    return [_strip(value) for value in node] if isinstance(node, list) else node


def _lazy_index(names: dict[str, str]) -> bytes:
    """Return an index that evaluates a module when it is first used: the whole one is eager."""
    lines = ['"use strict";', 'Object.defineProperty(exports, "__esModule", { value: true });']
    for fqn, directory in sorted(names.items()):
        name = fqn.rpartition(".")[2]
        getter = f'{{ enumerable: true, get: () => require("./{directory}") }}'
        lines.append(f'Object.defineProperty(exports, "{name}", {getter});')
    return "\n".join(lines).encode()


def _tarball(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def main(wheels: list[str]) -> None:
    """Write the slim assemblies of what ``bindings.py`` imports."""
    modules = imported_modules()
    versions: dict[str, list[str]] = {}
    for wheel in wheels:
        package = Path(wheel).name.partition("-")[0]
        with zipfile.ZipFile(wheel) as file:
            version, content = build(modules, zipfile.Path(file, f"{package}/"))
        tarball(version).write_bytes(content)
        versions.setdefault(package.replace("_", "-"), []).append(version)
        print(f"{tarball(version).name}: {len(modules)} modules, {len(content) // 1024} KB")
    manifest = {"modules": modules, "versions": versions}
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
