"""What the reference stack promises, and who its principals are once it is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .access import (
    GRANTED,
    Cell,
    Principal,
    ask_assume,
    ask_copies,
    ask_verbs,
    root,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWNERS = {
    "bucket 1": "account1",
    "bucket 2": "account2",
    "bucket 3": "account1",
    "bucket 4": "account2",
}
_REACHES = {
    "role 1": {"bucket 1", "bucket 2"},  # pattern 1
    "role 2": {"bucket 3"},  # pattern 2: its own account's bucket directly,
    "role 3": {"bucket 3", "bucket 4"},  # the other one by assuming this role
}


class Deployed:
    """The principals and buckets of the deployed reference stack, by its outputs."""

    def __init__(self, endpoint: str, outputs: Mapping[str, str]) -> None:
        self.outputs = outputs
        self.roots = {alias: root(endpoint, alias) for alias in ("account1", "account2")}
        self.roles = {f"role {n}": outputs[f"ec2_role_{n}_arn"] for n in "123"}
        # A root user stands in for EC2, which hands an instance its role.
        instances = {
            name: self.roots["account1"].assume(self.roles[name]) for name in ("role 1", "role 2")
        }
        self.principals: dict[str, Principal] = {
            **instances,
            "role 3": instances["role 2"].assume(self.roles["role 3"]),
            "root 1": self.roots["account1"],
            "root 2": self.roots["account2"],
        }
        self.buckets = {
            f"bucket {n}": (outputs[f"bucket{n}_name"], self.roots[_OWNERS[f"bucket {n}"]])
            for n in "1234"
        }

    def who_reaches_what(self) -> list[Cell]:
        """Ask every question, and return each answer beside what the patterns promise."""
        return [
            *ask_verbs(self.principals, self.buckets, promised),
            *ask_copies(self.principals, self.buckets, promised),
            *ask_assume(self.principals, self.roles, promised_assume),
        ]


def promised(principal: str, verb: str, bucket: str) -> bool:
    """Whether the patterns let ``principal`` do ``verb`` on ``bucket``."""
    if principal.startswith("root"):
        return _OWNERS[bucket] == f"account{principal[-1]}"
    return verb in GRANTED and bucket in _REACHES[principal]


def promised_assume(principal: str, role: str) -> bool | None:
    """Whether the patterns let ``principal`` assume ``role``."""
    if principal.startswith("root") and role != "role 3":
        return None  # AWS refuses; the emulator lets every root user stand in for EC2
    return (principal, role) == ("role 2", "role 3")
