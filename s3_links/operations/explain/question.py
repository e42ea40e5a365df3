"""Who asks for what: names, ARNs and addresses as people write them, found in the accounts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from s3_cross_account.settings import partition
from s3_cross_account.spelling import near_match
from s3_links.declarations.names import bucket_name
from s3_links.live import buckets
from s3_links.live.points import point
from s3_links.operations.stack import OperationError
from s3_links.world import AccessPoint, Principal, principal

from .declared import is_made_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from s3_links.live.reader import Reader

    from .declared import Declared
    from .pasted import Pasted

_S3 = re.compile(r"(?:arn:(?P<partition>[\w-]+):s3:::|s3://)?(?P<bucket>[^/:]+)(?:/(?P<key>.*))?")
_ACCESS_POINT = re.compile(
    r"(?:s3://)?(?P<arn>arn:[\w-]+:s3:[\w-]+:(?P<account>\d{12}):accesspoint/[^/]+)"
    r"(?:/(?:object/)?(?P<key>.*))?"
)
_ALIAS = "-s3alias"
_ANOTHER = re.compile(r"(?:s3://)?arn:[\w-]+:s3[\w-]*:[\w-]*:\d*:accesspoint[/:]")
_OTHER = re.compile(r"arn:[\w-]+:(?:kms|iam):.*")


_NOBODY = buckets.Owner()


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants to know: ``who`` and ``where`` as they write it, else as pasted."""

    who: str = ""
    where: str = ""
    actions: Sequence[str] = ()
    pasted: Pasted | None = None
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    endpoint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A bucket with its owner, an object of it, a role, or another resource by its ARN alone.

    ``point`` is the access point that it is asked through.
    """

    arn: str
    role: Principal | None = None
    bucket: str = ""
    key: str = ""
    point: AccessPoint | None = None
    owner: buckets.Owner = _NOBODY

    @property
    def asked(self) -> str:
        """The ARN that requests name: the access point's, where it is asked through one."""
        return self.point.arn if self.point else self.arn


def read_context(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the keys of a request that are given as ``KEY=VALUE``."""
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or ":" not in key:
            raise OperationError(
                f"--context: {text!r} is no KEY=VALUE, such as aws:SourceIp=203.0.113.7"
            )
        found[key] = (*found.get(key, ()), value)
    return found


class Finder:
    """Finds what names mean, by asking the accounts and the declaration."""

    def __init__(self, reader: Reader, declared: Declared) -> None:
        self._reader, self._declared = reader, declared

    def who(self, text: str) -> Principal:
        """Return a role or user by its name, its ARN, or what `get-caller-identity` prints."""
        text = text.strip()
        if text.startswith("{"):
            try:
                text = str(json.loads(text)["Arn"])
            except (ValueError, KeyError, TypeError):
                raise OperationError("WHO is no answer of `aws sts get-caller-identity`") from None
        if text.startswith("arn:"):
            try:
                return principal(text)
            except ValueError as error:
                raise OperationError(f"WHO: {error}") from None
        return self._role(text)

    def _role(self, name: str) -> Principal:
        declared = self._declared.roles(name)
        found = [who for who in declared if who.account in self._reader.accounts]
        if not found:
            for account in self._reader.accounts:
                reply, _ = self._reader.answer(account, "iam", "get_role", RoleName=name)
                if reply:
                    found.append(principal(reply["Role"]["Arn"]))
        if len(found) > 1:
            arns = ", ".join(str(who.arn) for who in found)
            raise OperationError(f"WHO: there are several roles {name!r}: give one's ARN: {arns}")
        if found:
            return found[0]
        asked = [f"{a.alias} ({a.problem or a.id})" for a in self._reader.accounts.values()]
        where = ", ".join(asked)
        near = near_match(name, self._declared.names())
        raise OperationError(
            f"WHO: no role {name!r} is found in {where}: give its name or its ARN, or the ARN that "
            "`aws sts get-caller-identity` shows" + (f". Did you mean {near!r}?" if near else "")
        )

    def where(self, text: str) -> Target:
        """Return a bucket or an object by its address, its ARN or its name, or a key or a role."""
        text = text.strip()
        if _OTHER.fullmatch(text):
            return Target(arn=text, role=self.who(text) if ":role/" in text else None)
        if through := _ACCESS_POINT.fullmatch(text):
            return self._through(through["arn"], through["key"] or "")
        if _ANOTHER.match(text):
            raise OperationError(
                f"WHERE: {text!r} is an access point of another kind, whose policy is not looked "
                "at here: give the bucket behind it"
            )
        found = _S3.fullmatch(text)
        if found and found["bucket"].endswith(_ALIAS):
            told = "is the alias of an access point: give its ARN, which is an output of its link"
            raise OperationError(f"WHERE: {found['bucket']!r} {told}")
        if found is None:
            raise OperationError(
                f"WHERE: {text!r} is no bucket or object: give s3://BUCKET/KEY, an ARN or a name"
            )
        try:
            name, key = self._completed(bucket_name(found["bucket"])), found["key"] or ""
        except ValueError as error:
            raise OperationError(f"WHERE: {error}") from None
        owner = buckets.owner(self._reader, name, self._declared.bucket_accounts(name))
        arn = f"arn:{found['partition'] or partition(owner.region)}:s3:::{name}"
        return Target(arn=arn, bucket=name, key=key, owner=owner)

    def _through(self, arn: str, key: str) -> Target:
        _, _, _, region, account, _ = arn.split(":", 5)
        known = self._reader.accounts.get(account)
        if known and known.region and known.region != region:
            raise OperationError(
                f"WHERE: {arn} is in {region}, and {known.alias} is declared in {known.region}: "
                "ask from a folder whose links file names that region"
            )
        found = point(self._reader, arn)
        if found is None:
            why = ", ".join(one.why for one in self._reader.unread if one.of == arn)
            told = f"could not be read ({why})" if why else "is not found (there is none)"
            raise OperationError(
                f"WHERE: the access point {arn} {told}: "
                "`s3-links check` shows who asks in which account"
            )
        name = found.bucket.rpartition(":")[2]
        owner = buckets.owner(self._reader, name, self._declared.bucket_accounts(name))
        return Target(arn=found.bucket, bucket=name, key=key, point=found, owner=owner)

    def _completed(self, name: str) -> str:
        """Return the bucket that was made of a declared prefix, or the name as it is."""
        account = self._declared.prefixes().get(name)
        if account is None:
            return name
        reply, code = self._reader.answer(account, "s3", "list_buckets", Prefix=name)
        found = [str(bucket["Name"]) for bucket in (reply or {}).get("Buckets", [])]
        names = [one for one in found if is_made_of(one, name)]
        if not names:
            why = f" ({code})" if code else ""
            raise OperationError(
                f"WHERE: no bucket made of {name!r} is seen in {account}{why}: deploy its link "
                "first, or give the bucket's whole name"
            )
        if len(names) > 1:
            there = ", ".join(names)
            raise OperationError(f"WHERE: several buckets were made of {name!r}: name one: {there}")
        return names[0]
