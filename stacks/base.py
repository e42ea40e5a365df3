"""What every stack has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdktf import LocalBackend, TerraformOutput, TerraformStack

if TYPE_CHECKING:
    from constructs import Construct


class BaseStack(TerraformStack):
    """A stack with its own local state and the versions that the bindings were made for."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        # The default backend writes an absolute path; this is the same place in any folder.
        LocalBackend(self, path=f"../../../terraform.{id_}.tfstate")
        self.add_override("terraform.required_version", ">= 1.3.0")
        self.add_override(
            "terraform.required_providers.aws",
            {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"},
        )

    def outputs(self, **values: str) -> None:
        """Create an output for each value."""
        for name, value in values.items():
            TerraformOutput(self, name, value=value)
