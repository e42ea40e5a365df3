"""cdktf's app in this repository: the links, or without any the reference deployment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s3_links.app import links, main, supporting

if TYPE_CHECKING:
    from cdktf import App

    from s3_links.app import Make
    from s3_links.stacks.base import BaseStack


def declared() -> Make:
    """Return what makes the stacks: those of the links, else the reference."""
    from s3_links.declarations.files import place_of_links

    return links() if place_of_links() else reference()


def reference() -> Make:
    """Return what makes the reference stack of ``cdktf.json``."""
    from stacks.configuration import read_configuration

    declared = read_configuration(Path("cdktf.json"))
    accounts, state = dict(declared.accounts), declared.state

    def make(app: App) -> list[BaseStack]:
        from s3_links.declarations.names import REFERENCE_STACK
        from stacks.reference import ReferenceStack

        stack = ReferenceStack(
            app, REFERENCE_STACK, accounts=accounts, state=state, instances=declared.instances
        )
        return [stack, *supporting(app, [stack], accounts, declared)]

    return make


if __name__ == "__main__":
    main(declared)
