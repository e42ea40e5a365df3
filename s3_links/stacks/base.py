"""What every stack has in common."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cdktf import TerraformOutput, TerraformStack

from s3_cross_account.references import known_beforehand
from s3_links.declarations.state import LOCAL, State, keep_state, minimal_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cdktf import App

    from s3_cross_account.settings import AccountSettings
    from s3_cross_account.validation import Checks


class BaseStack(TerraformStack):
    """A stack with a state of its own and the versions that the bindings were made for."""

    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        accounts: Mapping[str, AccountSettings],
        state: State = LOCAL,
    ) -> None:
        super().__init__(scope, id_)
        self.id = id_
        known_beforehand(self)
        self.checks: Checks = []
        """What finds the problems of its constructs, for who writes the stack to look at."""
        self._as_hcl = _written_as_hcl(scope)
        asked: dict[str, Any] = {
            "required_providers": {
                "aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}
            }
        }
        # cdktf writes this argument wrongly as HCL, which Terraform then refuses.
        if not self._as_hcl:
            asked["required_version"] = f">= {minimal_version(state)}"
        self.add_override("terraform", asked)
        keep_state(self, id_, state, accounts)

    def written(self, folder: Path) -> None:
        """Complete what cdktf wrote of the stack in ``folder``."""

    def outputs(self, **values: str) -> None:
        """Create an output for each value."""
        for name, value in values.items():
            TerraformOutput(self, name, value=self.text(value))

    def text(self, value: str) -> str:
        """Return a text so that it has the same lines as HCL: cdktf's heredoc would add one."""
        return value.replace("\n", "\\n") if self._as_hcl else value


@lru_cache(maxsize=1)
def _written_as_hcl(app: App) -> bool:
    return app.hcl_output
