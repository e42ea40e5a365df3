"""``python -m s3_links.sandbox``: deploy both patterns into two emulated accounts and try them."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from s3_links.declarations.files import write
from s3_links.operations.terraform import binary

from . import report
from .article import run_steps
from .aws_cli import aws_clis
from .emulator import Emulator, EmulatorError
from .leftovers import leftovers
from .reference import Deployed
from .run_folder import run_folder
from .workstation import ToolError, Workstation, check_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 110  # in a pipe or a log


def main() -> int:
    """Run the sandbox with the options of the command line; return its exit code."""
    arguments = _arguments()
    return deploy_reference(keep=arguments.keep, file=arguments.json)


def deploy_reference(*, keep: bool, file: Path | None = None) -> int:
    """Deploy, ask and remove; return 0 only if everything is as the patterns promise.

    With ``file`` the results are written to it for machines.
    """
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    try:
        check_tools()
        with run_folder("s3-sandbox-") as folder:
            return _run(console, folder, keep=keep, file=file)
    except (ToolError, EmulatorError) as error:
        message = f"The sandbox stopped: {error}"
        console.print(message, style="bold red", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: the emulated accounts are stopped and nothing is left behind.")
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m s3_links.sandbox", description=__doc__)
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the accounts running after the tables, until Ctrl-C",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the results to FILE, for machines"
    )
    arguments = parser.parse_args()
    if arguments.json and not arguments.json.absolute().parent.is_dir():
        parser.error(f"--json: the folder of {arguments.json} does not exist: make it first")
    return arguments


def _run(console: Console, folder: Path, *, keep: bool, file: Path | None) -> int:
    with Emulator(folder / "emulator") as emulator:
        workstation = Workstation(emulator, folder / "workstation")
        with _progress(console, "Deploying both patterns with cdktf deploy"):
            deployed = Deployed(emulator.endpoint, workstation.deploy())
        with _progress(console, "Asking who reaches what"):
            cells = deployed.who_reaches_what()
        console.print(report.LEGEND, *report.tables(cells), sep="\n")
        with _progress(console, "Running the article's last step on the instances"):
            aws_cli = next(aws_clis())
            steps = list(run_steps(emulator, deployed, folder, aws_cli))
        names = {label: name for label, (name, _) in deployed.buckets.items()}
        console.print(report.steps_table(steps, names, aws_cli))
        with _progress(console, "Asking cdktf diff for changes"):
            diff = workstation.diff()
        console.print(f"cdktf diff after the deployment: {diff}")
        if keep:
            _keep(console, emulator, workstation)
        with _progress(console, "Removing everything with cdktf destroy"):
            workstation.destroy()
        left = [thing for owner in deployed.roots.values() for thing in leftovers(owner)]
        console.print(f"Left in the accounts after cdktf destroy: {', '.join(left) or 'nothing'}")
    if file:
        write(file, report.as_json(cells, steps, aws_cli, diff, left).encode())
    if problems := report.problems(cells, steps, diff, left):
        console.print("Not as promised:", *problems, sep="\n  ", style="bold red", markup=False)
        return 1
    console.print(f"All {len(cells)} answers and {len(steps)} commands are as promised.")
    return 0


@contextlib.contextmanager
def _progress(console: Console, what: str) -> Iterator[None]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    # Quiet in a pipe or a log: the results alone are printed there.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as p:
        p.add_task(what, total=None)
        yield


def _keep(console: Console, emulator: Emulator, workstation: Workstation) -> None:
    settings = {
        name: workstation.environment.get(name, "")
        for name in (
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_EC2_METADATA_DISABLED",
            "TF_CLI_CONFIG_FILE",
            *emulator.endpoints,
        )
    }
    console.print(
        "\nThe accounts keep running. In another terminal:\n",
        f"export PATH={Path(sys.executable).parent}:$PATH",
        *(f"export {name}={value}" for name, value in settings.items()),
        f"cd {workstation.folder}",
        "",
        "aws s3 ls --profile account1",
        "aws iam list-roles --profile account2",
        f"{binary()} -chdir=cdktf.out/stacks/s3-multi-account-deploy state list",
        "",
        "Press Ctrl-C here to remove everything and stop them.",
        sep="\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
