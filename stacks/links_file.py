"""The links file: every link between accounts, declared in ``links.json``.

The models below check it, and are what ``links.schema.json`` is generated from, so that an editor
completes and checks it too.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from s3_cross_account.access import Access, Conditions
from s3_cross_account.actions import LEVELS
from s3_cross_account.hardening import HARDENED, NONE, Hardening
from s3_cross_account.replication_rule import STORAGE_CLASSES, ReplicationRule, problems
from s3_cross_account.settings import AccountSettings

from .checking import checked, json_object, text_of

if TYPE_CHECKING:
    from pathlib import Path

_NAME = r"^[A-Za-z0-9_+=,.@-]+$"
_ALIAS = r"^[A-Za-z][A-Za-z0-9_-]*$"


def _text(description: str, example: str, pattern: str, max_length: int | None = None) -> Any:
    return Field(
        description=description, examples=[example], pattern=pattern, max_length=max_length
    )


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


AccountAlias = Annotated[str, _text("the alias of an account", "account1", _ALIAS)]
RoleName = Annotated[str, _text("a role's name", "reports-reader", _NAME, max_length=64)]


class LinkAccount(AccountSettings):
    """One account: how Terraform reaches it, and a boundary for every role created in it."""

    permissions_boundary: Annotated[
        str | None,
        _text(
            "the ARN of a managed policy",
            "arn:aws:iam::123456789012:policy/boundary",
            r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        ),
    ] = None


def _label(name: str) -> str:
    """Return a name as Terraform's outputs can have it."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)


class Consumer(_Model):
    """A role that gets access: a new one, or one that exists."""

    account: AccountAlias
    new_role: RoleName | None = None
    existing_role: RoleName | None = None
    instance_profile: Annotated[
        str | None, _text("an instance profile's name", "web", _NAME, max_length=128)
    ] = None
    trusted_service: Annotated[
        str,
        _text("an AWS service principal", "lambda.amazonaws.com", r"^[a-z0-9.-]+\.amazonaws\.com$"),
    ] = "ec2.amazonaws.com"
    instance: Annotated[
        bool, Field(description="true or false: whether to create an EC2 instance with the role")
    ] = False

    @property
    def label(self) -> str:
        """What the consumer is called: its role's or its instance profile's name."""
        return _label(str(self.new_role or self.existing_role or self.instance_profile))

    @model_validator(mode="after")
    def _one_role(self) -> Self:
        given = [self.new_role, self.existing_role, self.instance_profile]
        if sum(value is not None for value in given) != 1:
            raise ValueError('give one of "new_role", "existing_role" and "instance_profile"')
        if self.instance and (self.new_role is None or not self.trusted_service.startswith("ec2.")):
            raise ValueError('"instance" needs a "new_role" that EC2 may assume')
        return self


class LinkBucket(_Model):
    """A bucket that access is given to: a new one, or one that exists."""

    account: AccountAlias
    new_prefix: Annotated[
        str | None,
        _text(
            "a bucket's prefix (3 to 37 small letters, digits, dots and hyphens)",
            "reports-",
            r"^[a-z0-9][a-z0-9.-]{2,36}$",
        ),
    ] = None
    existing: Annotated[
        str | None,
        _text("a bucket's name", "my-reports", r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
    ] = None
    policy: Annotated[
        Literal["create", "merge"] | None,
        Field(
            description='"create" (nobody owns the bucket policy yet) or "merge" (somebody does)',
            examples=["merge"],
        ),
    ] = None
    key: Annotated[
        str | None,
        _text(
            '"new" or the ARN of a customer managed key; the AWS managed key aws/s3 and aliases '
            "cannot be shared with another account",
            "new",
            r"^(new|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$",
        ),
    ] = None
    force_destroy: Annotated[
        bool, Field(description="true or false: whether to delete the bucket with its objects")
    ] = False

    @property
    def label(self) -> str:
        """What the bucket is called: its name or its prefix."""
        return _label(str(self.existing or self.new_prefix).strip("-."))

    @model_validator(mode="after")
    def _one_bucket(self) -> Self:
        if (self.new_prefix is None) == (self.existing is None):
            raise ValueError('give one of "new_prefix" and "existing"')
        if (self.existing is None) != (self.policy is None):
            raise ValueError(
                'with "existing", and only then, say who owns its bucket policy: '
                '"policy": "create" (nobody yet) or "merge" (you get the statements to merge)'
            )
        if self.existing and self.key == "new":
            raise ValueError('an existing bucket has its key: give its ARN, or leave out "key"')
        return self


class LinkAccess(_Model):
    """What is granted."""

    level: Annotated[
        Literal[tuple(LEVELS)],  # type: ignore[valid-type]
        Field(description=f"one of {', '.join(LEVELS)}", examples=["read-only"]),
    ] = "list-get-put"
    actions: Annotated[
        list[str] | None,
        Field(description="a list of S3 actions", examples=[["s3:GetObject"]], min_length=1),
    ] = None
    prefixes: Annotated[
        list[str], Field(description="a list of prefixes", examples=[["reports/"]])
    ] = []
    tls_only: Annotated[bool, Field(description="true or false")] = False
    organization_id: Annotated[
        str | None, _text("an organization's id", "o-a1b2c3d4e5", r"^o-[a-z0-9]{10,32}$")
    ] = None
    vpc_endpoint_ids: Annotated[
        list[Annotated[str, _text("a VPC endpoint's id", "vpce-0123abcd", r"^vpce-[0-9a-f]+$")]],
        Field(description="a list of VPC endpoint ids", examples=[["vpce-0123abcd"]]),
    ] = []
    same_accounts: Annotated[bool, Field(description="true or false")] = False

    @property
    def access(self) -> Access:
        """The access as the library has it."""
        return Access(
            actions=tuple(self.actions) if self.actions else LEVELS[self.level],
            prefixes=tuple(self.prefixes),
            conditions=Conditions(
                tls_only=self.tls_only,
                organization_id=self.organization_id,
                vpc_endpoint_ids=tuple(self.vpc_endpoint_ids),
                same_accounts=self.same_accounts,
            ),
        )

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.actions is not None and "level" in self.model_fields_set:
            raise ValueError('give "level" or "actions", not both')
        _ = self.access  # refuses what S3 does not know
        return self


class AssumedRole(_Model):
    """The role to assume, for the pattern ``assume-role``."""

    account: AccountAlias
    name: RoleName
    external_id: Annotated[
        str | None, _text("an external id", "s3-link-7f3a", r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$")
    ] = None


class HardeningSwitches(_Model):
    """One switch each; left out is off."""

    public_access_block: bool = False
    tls_only: bool = False
    versioning: bool = False
    encryption: bool = False
    access_logging: bool = False
    imdsv2: bool = False


def _switches(hardening: bool | HardeningSwitches) -> Hardening:
    if isinstance(hardening, bool):
        return HARDENED if hardening else NONE
    return Hardening(**hardening.model_dump())


def _unknown_accounts(named: list[str], info: ValidationInfo) -> list[str]:
    accounts = (info.context or {}).get("accounts")
    return [
        f'the account "{alias}" is not among "accounts": {", ".join(accounts)}'
        for alias in dict.fromkeys(named)
        if isinstance(accounts, dict) and alias not in accounts
    ]


class Link(_Model):
    """A link by direct access or AssumeRole, its own stack and its own state."""

    pattern: Annotated[
        Literal["direct-access", "assume-role"],
        Field(description='"direct-access" or "assume-role"', examples=["direct-access"]),
    ]
    consumers: Annotated[
        list[Consumer],
        Field(
            description="a list of roles",
            examples=[[{"account": "account1", "new_role": "reports-reader"}]],
            min_length=1,
        ),
    ]
    buckets: Annotated[
        list[LinkBucket],
        Field(
            description="a list of buckets",
            examples=[[{"account": "account2", "new_prefix": "reports-"}]],
            min_length=1,
        ),
    ]
    access: Annotated[
        LinkAccess, Field(description="an access", examples=[{"level": "read-only"}])
    ] = LinkAccess()
    assumed_role: Annotated[
        AssumedRole | None,
        Field(
            description="the role to assume",
            examples=[{"account": "account2", "name": "reports-reader"}],
        ),
    ] = None
    survive_role_recreation: Annotated[bool, Field(description="true or false")] = False
    hardening: Annotated[
        bool | HardeningSwitches,
        Field(description="true (everything), false or single switches", examples=[True]),
    ] = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it."""
        return _switches(self.hardening)

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        named = [c.account for c in self.consumers] + [b.account for b in self.buckets]
        named += [self.assumed_role.account] if self.assumed_role else []
        found = _unknown_accounts(named, info)
        if (self.pattern == "assume-role") != (self.assumed_role is not None):
            found.append('"assumed_role" goes with the pattern "assume-role", and only with it')
        for what, labels in (
            ("consumer", [consumer.label for consumer in self.consumers]),
            ("bucket", [bucket.label for bucket in self.buckets]),
        ):
            repeated = {label for label in labels if labels.count(label) > 1}
            found += [
                f'the {what} "{label}" stands twice: leave one out, or declare another link'
                for label in sorted(repeated)
            ]
        if found:
            raise ValueError("; ".join(found))
        return self


class Rule(_Model):
    """What is replicated, and how."""

    priority: Annotated[int, Field(description="a number from 1", examples=[1], ge=1)] = 1
    prefix: Annotated[str, Field(description="a prefix", examples=["reports/"])] = ""
    tags: Annotated[
        dict[str, str], Field(description="an object of tags", examples=[{"share": "yes"}])
    ] = {}
    delete_markers: Annotated[bool, Field(description="true or false")] = False
    storage_class: Annotated[
        Literal[STORAGE_CLASSES] | None,  # type: ignore[valid-type]
        Field(description=f"one of {', '.join(STORAGE_CLASSES)}", examples=["STANDARD_IA"]),
    ] = None
    time_control: Annotated[bool, Field(description="true or false")] = False

    @property
    def rule(self) -> ReplicationRule:
        """The rule as the library has it."""
        return ReplicationRule(
            **self.model_dump(exclude={"tags"}), tags=tuple(sorted(self.tags.items()))
        )


class ReplicatedBucket(LinkBucket):
    """A bucket at one end of a replication; a new one is versioned."""

    versioned: Annotated[
        bool, Field(description="true: an existing bucket is versioned", examples=[True])
    ] = False

    @model_validator(mode="after")
    def _versioned(self) -> Self:
        if self.existing and not self.versioned:
            raise ValueError(
                "S3 replicates versioned buckets only: enable versioning on the bucket and say so "
                'with "versioned": true'
            )
        return self


_BUCKET_EXAMPLE = {"account": "account1", "new_prefix": "reports-"}


class ReplicationLink(_Model):
    """A replication from one bucket to another account's, its own stack and its own state."""

    pattern: Literal["replication"]
    source: Annotated[ReplicatedBucket, Field(description="a bucket", examples=[_BUCKET_EXAMPLE])]
    destination: Annotated[
        ReplicatedBucket,
        Field(description="a bucket", examples=[_BUCKET_EXAMPLE | {"account": "account2"}]),
    ]
    role_name: RoleName
    rules: Annotated[
        list[Rule],
        Field(description="a list of rules", examples=[[{"prefix": "reports/"}]], min_length=1),
    ] = [Rule()]
    both_ways: Annotated[bool, Field(description="true or false")] = False
    batch_role: Annotated[bool, Field(description="true or false")] = False
    hardening: Annotated[
        bool | HardeningSwitches,
        Field(description="true (everything), false or single switches", examples=[True]),
    ] = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it: versioning is on in any case."""
        return replace(_switches(self.hardening), versioning=True)

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        found = _unknown_accounts([self.source.account, self.destination.account], info)
        found += problems([rule.rule for rule in self.rules])
        ends = [(b.account, b.existing or b.new_prefix) for b in (self.source, self.destination)]
        if ends[0] == ends[1]:
            found.append("source and destination are the same bucket: name two")
        elif ends[0][0] == ends[1][0]:
            found.append("source and destination are in the same account: name two")
        if self.source.key and not self.destination.key:
            found.append(
                "the source has a KMS key and the destination has none: S3 would not replicate its "
                'objects; give the destination a "key" too'
            )
        if self.both_ways and self.destination.key and not self.source.key:
            found.append('both ways, with a key at one end only: give the source a "key" too')
        if found:
            raise ValueError("; ".join(found))
        return self


AnyLink = Annotated[
    Link | ReplicationLink,
    Field(
        discriminator="pattern",
        description='"direct-access", "assume-role" or "replication"',
        examples=["direct-access"],
    ),
]


class Links(_Model):
    """Every link, and the accounts that they are between."""

    schema_: Annotated[str | None, Field(alias="$schema")] = None
    accounts: Annotated[
        dict[AccountAlias, LinkAccount],
        Field(
            description="the accounts by their aliases",
            examples=[{"account1": {"region": "ap-northeast-1", "profile": "account1"}}],
            min_length=2,
        ),
    ]
    links: Annotated[
        dict[Annotated[str, _text("a link's name", "reports", r"^[a-z][a-z0-9-]{0,62}$")], AnyLink],
        Field(description="the links by their names", examples=[{"reports": {}}], min_length=1),
    ]


def read_links(file: Path) -> Links:
    """Return the checked links in ``file``, or raise :class:`ConfigurationError`."""
    content = json_object(text_of(file), str(file))
    return checked(Links, content, source=str(file), accounts_at=("accounts",))


def schema() -> str:
    """Return the JSON schema of a links file."""
    return json.dumps(Links.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
