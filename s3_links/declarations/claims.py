"""What only one declaration can have, and who claims what another has already."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .part import Part, parts, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Place, Problem


class Claim(NamedTuple):
    """What only one declaration can have."""

    what: str
    remedy: str
    key: tuple[str, ...]
    """What tells it from others: IAM's names differ by more than case, S3's are global."""
    of_link: bool = False
    """Whether each link can have one of its own."""
    by: str = ""
    """Who claims it, where the place of the part does not say so."""


_ONE_LINK = "choose another name, or make it one link"
_SHARE = 'declare the bucket as "existing" without a "policy" here: that link writes it for both'


def role(account: str, name: str, *, by: str = "") -> Claim:
    """Claim a role with its policies."""
    key = ("role", account, name.lower())
    return Claim(f"the role {name!r} in {account}", _ONE_LINK, key, by=by)


def bucket(account: str, name: str, *, by: str = "") -> Claim:
    """Claim a bucket with its settings."""
    return _of_s3("the bucket", account, name, by=by)


def bucket_policy(account: str, name: str, *, by: str = "") -> Claim:
    """Claim a bucket's only policy."""
    return _of_s3("the bucket policy of", account, name, by=by)


def key_policy(arn: str) -> Claim:
    """Claim a key's only policy."""
    remedy = 'give "imported_key_policy" in one place, with all that uses the key in that link'
    return Claim(f"the key policy of {arn}", remedy, ("key policy", arn))


def replication_configuration(account: str, name: str) -> Claim:
    """Claim a bucket's only replication configuration."""
    remedy = "S3 keeps one for each bucket: make it one link"
    return _of_s3("the replication configuration of", account, name, remedy)


def notification_configuration(account: str, name: str) -> Claim:
    """Claim a bucket's only notification configuration."""
    remedy = "S3 keeps one for each bucket: declare all notifications in one link"
    return _of_s3("the notification configuration of", account, name, remedy)


def access_point(account: str, name: str) -> Claim:
    """Claim an access point: its name is taken once in an account and region."""
    key = ("access point", account, name)
    return Claim(f"the access point {name!r} in {account}", "choose another name", key)


def output(name: str) -> Claim:
    """Claim an output of a link's stack."""
    remedy = "leave one out, or declare two links"
    return Claim(f'the output "{name}"', remedy, ("output", name), of_link=True)


def _of_s3(what: str, account: str, name: str, remedy: str = _SHARE, *, by: str = "") -> Claim:
    return Claim(f"{what} {name!r} in {account}", remedy, (what, name), by=by)


def claimed_twice(configuration: Part) -> Iterator[Problem]:
    """Yield what a link claims and something else has, be it another link or the same."""
    owners: dict[tuple[str, ...], str] = {}
    for place, part in parts(configuration, Part):
        at: Place = place[:2]
        by = ".".join(map(str, at))
        for claims in told(part, "claim"):
            keys = [(*claim.key, by) if claim.of_link else claim.key for claim in claims]
            taken = [(c, owners[key]) for c, key in zip(claims, keys, strict=True) if key in owners]
            for claim, owner in taken[:1] if at[:1] == ("links",) else ():  # the others follow
                yield at, f"{claim.what} is created by {owner} too: {claim.remedy}"
            for claim, key in zip(claims, keys, strict=True):
                owners.setdefault(key, claim.by or by)
