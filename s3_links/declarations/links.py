"""Every link, and the accounts that they are between.

Its models check the files of links, and are what ``links.schema.json`` is generated from, so that
an editor completes and checks them too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from pydantic import (
    AfterValidator,
    Field,
)

from .accounts import LinkAccount
from .deployment import Deployment
from .link import Link
from .names import (
    JAVASCRIPT,
    REFERENCE_STACK,
    AccountAlias,
    text,
)
from .part import Part
from .pipeline import STACK as PIPELINE_STACK
from .replication import ReplicationLink
from .state import BUCKET_STACK

if TYPE_CHECKING:
    from .checking import Problem


AnyLink = Annotated[
    Link | ReplicationLink,
    Field(
        discriminator="pattern",
        description='"direct-access", "assume-role" or "replication"',
        examples=["direct-access"],
    ),
]


def _free(name: str) -> str:
    if name in (REFERENCE_STACK, BUCKET_STACK, PIPELINE_STACK):
        raise ValueError("is the name of a stack of this project: choose another")
    if name in JAVASCRIPT:
        raise ValueError("is a word of JavaScript, which cdktf is written in: choose another")
    return name


LinkName = Annotated[
    str,
    text("a link's name (small letters, digits, hyphens)", "reports", r"^[a-z][a-z0-9-]{0,62}$"),
    AfterValidator(_free),
]


class Links(Part, Deployment):
    """Every link, and the accounts that they are between."""

    schema_: Annotated[str | None, Field(alias="$schema")] = None
    accounts: Annotated[
        dict[AccountAlias, LinkAccount],
        Field(
            description="two accounts or more, by their aliases",
            examples=[
                {
                    "account1": {"region": "ap-northeast-1", "profile": "account1"},
                    "account2": {"region": "ap-northeast-1", "profile": "account2"},
                }
            ],
            min_length=2,
        ),
    ]
    links: Annotated[
        dict[LinkName, AnyLink],
        Field(description="the links by their names", examples=[{"reports": {}}], min_length=1),
    ]

    def notes(self) -> list[Problem]:
        """Return what cannot be known here of what is declared."""
        return [
            (("links", name, "consumers", number, "trusted_service"), note)
            for name, link in self.links.items()
            for number, consumer in enumerate(link.consumers if isinstance(link, Link) else ())
            if (note := consumer.note())
        ]


def schema() -> str:
    """Return the JSON schema of a links file."""
    return json.dumps(Links.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
