"""The folder ``constructs`` and the PyPI package ``constructs`` live side by side."""

import constructs

import s3_cross_account

from .conftest import PROJECT


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
