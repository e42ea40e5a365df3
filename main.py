"""Reads the configuration, makes the stacks and synthesizes them to ``cdktf.out``."""

import os
import sys
from pathlib import Path

from stacks.configuration import ConfigurationError, read_configuration

# Node.js 20 does all that is needed here; jsii greets it with a page-wide banner on each call.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")


def main() -> None:
    """Synthesize every stack, or say what is wrong with the configuration."""
    try:
        configuration = read_configuration(Path("cdktf.json"))
    except ConfigurationError as error:
        sys.exit(str(error))

    # Imported only now: this starts Node.js.
    from cdktf import App

    from stacks.reference import ReferenceStack

    app = App()
    accounts = configuration.accounts
    ReferenceStack(
        app, "s3-multi-account-deploy", account1=accounts.account1, account2=accounts.account2
    )
    app.synth()


if __name__ == "__main__":
    main()
