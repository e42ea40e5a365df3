"""Answers of AWS as they were recorded, of what the emulator cannot show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Recorded:
    """Answers as AWS gives them: by account, service and call; a text is an error's code."""

    def __init__(self, account: str, answers: Mapping[str, Any]) -> None:
        self._account, self._answers = account, answers

    def client(self, service: str) -> _Client:
        return _Client(f"{self._account}.{service}", self._answers)


class _Client:
    def __init__(self, name: str, answers: Mapping[str, Any]) -> None:
        self._name, self._answers = name, answers

    def can_paginate(self, _: str) -> bool:
        return False

    def __getattr__(self, call: str) -> Any:
        def answer(**_: Any) -> Any:
            found = self._answers.get(f"{self._name}.{call}", "AccessDenied")
            if isinstance(found, str):
                raise ClientError({"Error": {"Code": found, "Message": "refused"}}, call)
            return found

        return answer


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
