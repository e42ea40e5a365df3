"""What every stack has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdktf import App, TerraformOutput, TerraformStack

from s3_links.declarations.state import LOCAL, State, keep_state, minimal_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import TerraformElement
    from constructs import Construct

    from s3_cross_account.settings import AccountSettings


class BaseStack(TerraformStack):
    """A stack with a state of its own and the versions that the bindings were made for."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        accounts: Mapping[str, AccountSettings],
        state: State = LOCAL,
    ) -> None:
        super().__init__(scope, id_)
        self.named: dict[TerraformElement, str] = {}
        """What stands in the stack itself, by names that Node.js need not be asked for."""
        keep_state(self, id_, state, accounts)
        self._as_hcl = App.of(self).hcl_output
        # cdktf writes this argument wrongly as HCL, which Terraform then refuses.
        if not self._as_hcl:
            self.add_override("terraform.required_version", f">= {minimal_version(state)}")
        self.add_override(
            "terraform.required_providers.aws",
            {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"},
        )

    def outputs(self, **values: str) -> None:
        """Create an output for each value."""
        for name, value in values.items():
            self.named[TerraformOutput(self, name, value=self.text(value))] = name

    def text(self, value: str) -> str:
        """Return a text so that it has the same lines as HCL: cdktf's heredoc would add one."""
        return value.replace("\n", "\\n") if self._as_hcl else value
