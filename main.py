"""Reads the configuration, makes the stacks and synthesizes them to ``cdktf.out``."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.checking import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cdktf import App, TerraformStack

LINKS = Path("links.json")

# Node.js 20 does all that is needed here; jsii greets it with a page-wide banner on each call.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")


def main() -> None:
    """Synthesize every stack, or say what is wrong with the configuration."""
    try:
        make = declared_links() if LINKS.exists() else reference()
        if shutil.which("node") is None:
            raise ConfigurationError(["Node.js is not installed: install version 20 or later"])
        synthesize(make)
    except ConfigurationError as error:
        sys.exit(str(error))


def reference() -> Callable[[App], list[TerraformStack]]:
    """Return what makes the reference stack of ``cdktf.json``."""
    from stacks.configuration import read_configuration

    accounts = read_configuration(Path("cdktf.json")).accounts

    def make(app: App) -> list[TerraformStack]:
        from stacks.reference import ReferenceStack

        name = "s3-multi-account-deploy"
        return [ReferenceStack(app, name, account1=accounts.account1, account2=accounts.account2)]

    return make


def declared_links() -> Callable[[App], list[TerraformStack]]:
    """Return what makes a stack of each link in ``links.json``."""
    from stacks.links_file import read_links

    links = read_links(LINKS)

    def make(app: App) -> list[TerraformStack]:
        from stacks.link import LinkStack
        from stacks.links_file import Link
        from stacks.replication import ReplicationStack

        return [
            LinkStack(app, name, link=link, accounts=links.accounts)
            if isinstance(link, Link)
            else ReplicationStack(app, name, link=link, accounts=links.accounts)
            for name, link in links.links.items()
        ]

    return make


def output_folder() -> str:
    """Return the folder to write to, which cdktf's command names in a variable."""
    folder = Path(os.environ.get("CDKTF_OUTDIR") or "cdktf.out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            [f"{folder}: cannot be written to ({error.strerror}): name another output folder"]
        ) from None
    return str(folder)


def synthesize(make: Callable[[App], list[TerraformStack]]) -> None:
    """Write every stack, once all of them are valid."""
    # Imported only now: this starts Node.js.
    from cdktf import App

    from stacks.validation import problems

    app = App(outdir=output_folder())
    stacks = make(app)
    if found := problems(stacks):
        raise ConfigurationError(found)
    app.synth()


if __name__ == "__main__":
    main()
