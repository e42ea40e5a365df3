"""Names of roles that nobody but AWS may change."""

from __future__ import annotations


def reserved(name: str) -> str | None:
    """Return why a role of this name cannot be given anything, and what to do instead.

    Follows "Referencing permission sets in resource policies, Amazon EKS Cluster config maps, and
    AWS KMS key policies" in the IAM Identity Center User Guide and "Create a service-linked role"
    in the IAM User Guide.
    """
    if name.lower().startswith("awsreservedsso_"):
        permission_set = name.rpartition("_")[0][len("awsreservedsso_") :]
        return (
            f'"{name}" is a role of IAM Identity Center, and nobody can change it in its account '
            "(UnmodifiableEntity): give the access to its permission set, "
            f'"permission_set": "{permission_set or "..."}"'
        )
    if name.lower().startswith("awsservicerolefor"):
        return (
            f'"{name}" is a service-linked role, and nobody but its service can change it '
            "(UnmodifiableEntity): name a role of your own"
        )
    return None
