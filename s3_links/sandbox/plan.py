"""``python -m s3_links.sandbox.plan``: plan the declared stacks against emulated accounts.

For a run without credentials, such as that of a pull request from a fork: it sees that everything
plans, and which access there would be. It writes a summary, and no plan that could be applied.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from s3_links.declarations.read_links import declared

from .emulator import Emulator, EmulatorError
from .run_folder import run_folder
from .stand_in import stand_in, with_local_state
from .terraform import terraform_settings
from .workstation import PROJECT, ToolError, check_tools, run

_NOTE = "Planned against empty emulated accounts: everything appears as new, also what is deployed."


def main() -> int:
    """Plan, with the arguments that the operation ``plan`` takes; return its exit code."""
    try:
        check_tools()
        with run_folder("s3-plan-") as folder:
            return _plan(folder, sys.argv[1:])
    except (ToolError, EmulatorError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the emulated accounts are stopped, nothing is left.", file=sys.stderr)
        return 130


def _plan(folder: Path, arguments: list[str]) -> int:
    here, outputs = Path.cwd(), {"CDKTF_OUTDIR": str(folder / "cdktf.out")}
    code, _ = run(
        [sys.executable, str(PROJECT / "main.py")], here, os.environ | outputs, shown=True
    )
    if code:
        return code
    stacks = [with_local_state(file) for file in folder.glob("cdktf.out/stacks/*/cdk.tf.json")]
    with Emulator(folder / "emulator", encrypted=True) as emulator:
        environment = emulator.environment | terraform_settings(folder) | outputs
        links = read.links.values() if (read := declared()) else ()
        environment |= stand_in(emulator, folder, stacks, links)
        command = [
            sys.executable,
            "-m",
            "s3_links",
            "plan",
            "--skip-synth",
            "--summary-only",
            "--note",
            _NOTE,
        ]
        return run([*command, *arguments], here, environment, shown=True)[0]


if __name__ == "__main__":
    sys.exit(main())
