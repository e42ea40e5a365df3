"""cdktf's app in this repository: the links, or without any the reference deployment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s3_links.app import LINKS, links, links_file, main, supporting
from s3_links.declarations.errors import ConfigurationError

if TYPE_CHECKING:
    from cdktf import App, TerraformStack

    from s3_links.app import Make


def declared() -> Make:
    """Return what makes the stacks: those of the links file, else the reference."""
    from s3_links.declarations.files import nearly, present

    if links_file() != LINKS or present(LINKS):
        return links()
    if near := nearly(LINKS):
        raise ConfigurationError(
            [
                f"{near}: is nearly called {LINKS}, which does not exist: rename it, or move it "
                "away to have the reference stack"
            ]
        )
    return reference()


def reference() -> Make:
    """Return what makes the reference stack of ``cdktf.json``."""
    from stacks.configuration import read_configuration

    declared = read_configuration(Path("cdktf.json"))
    accounts, state = dict(declared.accounts), declared.state

    def make(app: App) -> list[TerraformStack]:
        from s3_links.declarations.names import REFERENCE_STACK
        from stacks.reference import ReferenceStack

        stack = ReferenceStack(
            app, REFERENCE_STACK, accounts=accounts, state=state, instances=declared.instances
        )
        return [stack, *supporting(app, [stack], accounts, declared)]

    return make


if __name__ == "__main__":
    main(declared)
