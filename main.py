"""cdktf's app in this repository: the links, or without any the reference deployment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s3_links.app import links, main, supporting

if TYPE_CHECKING:
    from cdktf import App

    from s3_links.stacks.base import BaseStack
    from s3_links.synthesis import Stacks


def declared() -> Stacks:
    """Return the stacks of the links, else the reference."""
    from s3_links.declarations.files import place_of_links

    return links() if place_of_links() else reference()


def reference() -> Stacks:
    """Return the reference stack of ``cdktf.json``."""
    from s3_links import nodejs

    nodejs.begin()
    from s3_links.synthesis import Stacks
    from stacks.configuration import read_configuration

    declared = read_configuration(Path("cdktf.json"))
    accounts = dict(declared.accounts)

    def make(app: App) -> list[BaseStack]:
        from s3_links.declarations.names import REFERENCE_STACK
        from stacks.reference import ReferenceStack

        stack = ReferenceStack(
            app,
            REFERENCE_STACK,
            accounts=accounts,
            state=declared.state,
            instances=declared.instances,
        )
        return [stack]

    return Stacks([make], supporting(declared, accounts))


if __name__ == "__main__":
    main(declared)
