"""The library's API page says what its docstrings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROJECT
from tools.api import page, public

if TYPE_CHECKING:
    from pathlib import Path

# Nothing is synthesized, but what reads the sources asks git where they are from.
pytestmark = pytest.mark.cost("synthesized")


def test_the_page_is_as_its_sources_say() -> None:
    assert page(public()) == (PROJECT / "docs" / "api.md").read_text(), "run `make api`"


def test_a_public_name_without_a_docstring_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "s3_cross_account"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "internal.py").write_text("SILENT = 1\n")
    declared = "class Silent:\n    def method(self) -> None: ...\n    def _own(self) -> None: ...\n"
    (package / "policy.py").write_text(f'"""Says."""\n__all__ = ["Silent"]\n{declared}')
    with pytest.raises(ValueError, match="without a docstring") as error:
        page(public(tmp_path))
    _, names = str(error.value).split(": ")
    assert names == "s3_cross_account.policy.Silent, s3_cross_account.policy.Silent.method"
