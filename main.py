"""Reads the configuration, makes the stacks and synthesizes them to ``cdktf.out``."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.checking import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cdktf import App, TerraformStack

    from s3_cross_account.settings import AccountSettings
    from stacks.deployment import Deployment

LINKS = Path("links.json")
PROVIDER_LOCK = Path(".terraform.lock.hcl")
REFERENCE = "s3-multi-account-deploy"

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
    except ModuleNotFoundError as error:
        sys.exit(
            f"The Python package {error.name} is not installed here: run `make synth`, or this "
            "inside the environment (`pipenv shell`) after `make install`"
        )


def reference() -> Callable[[App], list[TerraformStack]]:
    """Return what makes the reference stack of ``cdktf.json``."""
    from stacks.configuration import read_configuration

    declared = read_configuration(Path("cdktf.json"))
    accounts, state = dict(declared.accounts), declared.state

    def make(app: App) -> list[TerraformStack]:
        from stacks.reference import ReferenceStack

        stack = ReferenceStack(
            app, REFERENCE, accounts=accounts, state=state, instances=declared.instances
        )
        return [stack, *supporting(app, [stack], accounts, declared)]

    return make


def declared_links() -> Callable[[App], list[TerraformStack]]:
    """Return what makes a stack of each link in ``links.json``."""
    from stacks.links_file import read_links

    declared = read_links(LINKS)
    accounts, state = declared.accounts, declared.state
    for note in declared.notes():
        print(f"{LINKS}: {note}", file=sys.stderr)

    def make(app: App) -> list[TerraformStack]:
        from stacks.link import LinkStack
        from stacks.links_file import Link
        from stacks.replication import ReplicationStack

        links: list[TerraformStack] = [
            LinkStack(app, name, link=link, accounts=accounts, state=state)
            if isinstance(link, Link)
            else ReplicationStack(app, name, link=link, accounts=accounts, state=state)
            for name, link in declared.links.items()
        ]
        return [*links, *supporting(app, links, accounts, declared)]

    return make


def supporting(
    app: App,
    deployed: list[TerraformStack],
    accounts: Mapping[str, AccountSettings],
    declared: Deployment,
) -> list[TerraformStack]:
    """Return the stacks that an administrator deploys before the others."""
    from stacks import pipeline as pipelines
    from stacks.pipeline_roles import PipelineRolesStack
    from stacks.state import BUCKET_STACK, S3State
    from stacks.state_bucket import StateBucketStack

    state, pipeline = declared.state, declared.pipeline
    found: list[TerraformStack] = []
    if isinstance(state, S3State) and state.create_bucket:
        found.append(StateBucketStack(app, BUCKET_STACK, state=state, accounts=accounts))
    if pipeline is not None:
        roles = PipelineRolesStack(
            app,
            pipelines.STACK,
            pipeline=pipeline,
            stacks=[stack.to_terraform() for stack in deployed],
            accounts=accounts,
            state=state,
        )
        found.append(roles)
    return found


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
    if PROVIDER_LOCK.exists():
        for stack in stacks:
            shutil.copy(PROVIDER_LOCK, Path(app.outdir, "stacks", stack.to_string()))


if __name__ == "__main__":
    main()
