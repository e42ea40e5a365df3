"""The app leaves the type hints of bindings alone; the library, and these tests, do not."""

from __future__ import annotations

import typing

import pytest

from s3_cross_account import bindings
from s3_links.unchecked import leave_unchecked

pytestmark = pytest.mark.cost("synthesized")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing, "get_type_hints", typing.get_type_hints)  # put back in the end
    leave_unchecked()


def of_a_wrong_type() -> bindings.S3BucketVersioningVersioningConfiguration:
    return bindings.S3BucketVersioningVersioningConfiguration(status=1)  # type: ignore[arg-type]


def test_a_binding_checks_its_arguments() -> None:
    with pytest.raises(TypeError, match="argument status must be str"):
        of_a_wrong_type()


@pytest.mark.usefixtures("unchecked")
def test_a_binding_is_left_unchecked() -> None:
    assert repr(of_a_wrong_type()).endswith("(status=1)")


@pytest.mark.usefixtures("unchecked")
def test_all_other_type_hints_are_what_they_were() -> None:
    hints = typing.get_type_hints(of_a_wrong_type)
    assert hints == {"return": bindings.S3BucketVersioningVersioningConfiguration}
