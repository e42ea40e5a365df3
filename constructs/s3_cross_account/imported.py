"""What keeps Terraform from harming what it did not make or what must not be lost."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle

# What people set by hand and these constructs say nothing of.
_KEPT = ["tags", "tags_all"]


def lifecycle(
    *, imported: bool, prevent_destroy: bool = False, kept: tuple[str, ...] = ()
) -> TerraformResourceLifecycle | None:
    """Return the lifecycle of a resource that exists, or that must not be destroyed.

    An imported resource keeps its tags and the arguments ``kept``. Terraform refuses to destroy
    it, and so to replace it because an argument differs that cannot be changed in place.
    """
    if not (imported or prevent_destroy):
        return None
    return TerraformResourceLifecycle(
        prevent_destroy=True, ignore_changes=[*_KEPT, *kept] if imported else None
    )
