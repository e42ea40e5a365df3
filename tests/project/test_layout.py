"""The folder ``constructs`` and the PyPI package ``constructs`` live side by side."""

import ast
import re
import sys
import tomllib

import constructs

import s3_cross_account
from tests.conftest import PROJECT


def test_the_folder_is_no_package() -> None:
    assert not (PROJECT / "constructs" / "__init__.py").exists()


def test_import_constructs_is_the_pypi_package() -> None:
    assert constructs.__file__ is not None
    assert "site-packages" in constructs.__file__
    assert constructs.Construct.__module__ == "constructs"


def test_the_library_is_imported_from_the_folder() -> None:
    assert s3_cross_account.__file__ is not None
    assert s3_cross_account.__file__.startswith(str(PROJECT / "constructs"))
    assert (PROJECT / "constructs" / "s3_cross_account" / "py.typed").exists()


def test_what_is_installed_comes_with_all_that_it_imports() -> None:
    imported = set[str]()
    sources = [PROJECT / "constructs" / "s3_cross_account", PROJECT / "s3_links"]
    for file in (file for source in sources for file in source.rglob("*.py")):
        if file.parent.name == "sandbox":  # the emulator and its tools are installed beside it
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module))
    # pydantic names the version of its core.
    own = {"s3_cross_account", "s3_links", "pydantic_core"}
    packages = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - own
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    declared = {re.split("[=<>.]", text)[0].replace("-", "_") for text in project["dependencies"]}
    assert packages | {"ruamel"} == declared
