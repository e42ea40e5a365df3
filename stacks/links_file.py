"""The links file: every link between accounts, declared in ``links.json``.

The models below check it, and are what ``links.schema.json`` is generated from, so that an editor
completes and checks it too.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, model_validator

from s3_cross_account.access import Access, Conditions
from s3_cross_account.actions import LEVELS
from s3_cross_account.hardening import HARDENED, NONE, Hardening
from s3_cross_account.replication_rule import STORAGE_CLASSES, ReplicationRule, problems
from s3_cross_account.role_name import reserved
from s3_cross_account.settings import AccountSettings, partition
from s3_cross_account.spelling import near_match
from s3_cross_account.trusted_services import KNOWN

from .checking import (
    STRICT,
    ConfigurationError,
    checked,
    in_two_partitions,
    json_object,
    text_of,
    unknown_accounts,
)
from .deployment import Deployment
from .pipeline import STACK as PIPELINE_STACK
from .state import BUCKET_STACK, S3State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

RESERVED = (BUCKET_STACK, PIPELINE_STACK)
_NAME = r"^[A-Za-z0-9_+=,.@-]+$"
_ALIAS = r"^[A-Za-z][A-Za-z0-9_-]*$"


def _text(description: str, example: str, pattern: str, max_length: int | None = None) -> Any:
    return Field(
        description=description, examples=[example], pattern=pattern, max_length=max_length
    )


class _Model(BaseModel):
    model_config = STRICT


AccountAlias = Annotated[str, _text("the alias of an account", "account1", _ALIAS)]
BucketName = Annotated[
    str, _text("a bucket's name", "my-reports", r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
]


def _not_reserved(name: str) -> str:
    if problem := reserved(name):
        raise ValueError(problem)
    return name


RoleName = Annotated[
    str,
    _text("a role's name, without its path", "reports-reader", _NAME, max_length=64),
    AfterValidator(_not_reserved),
]


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
    imported_role: RoleName | None = None
    instance_profile: Annotated[
        str | None, _text("an instance profile's name", "web", _NAME, max_length=128)
    ] = None
    trusted_service: Annotated[
        str,
        _text(
            "an AWS service principal",
            "lambda.amazonaws.com",
            r"^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$",
        ),
    ] = "ec2.amazonaws.com"
    instance: Annotated[
        bool, Field(description="true or false: whether to create an EC2 instance with the role")
    ] = False

    @property
    def label(self) -> str:
        """What the consumer is called in the names of outputs."""
        return _label(f"{self.account}_{self.name}")

    @property
    def name(self) -> str:
        """Its role's or its instance profile's name."""
        return str(self.managed_role or self.existing_role or self.instance_profile)

    @property
    def managed_role(self) -> str | None:
        """The role's name, where this link makes it or takes it over."""
        return self.new_role or self.imported_role

    @property
    def id(self) -> str:
        """What tells it from every other consumer; an alias has no dot."""
        kinds = {"new": self.managed_role, "existing": self.existing_role}
        kind = next((kind for kind, name in kinds.items() if name), "profile")
        return f"{self.account}.{kind}.{self.name}"

    @property
    def on_instances(self) -> bool:
        """Whether the role is one that EC2 instances have, as far as one can see here."""
        return bool(self.instance_profile) or (
            self.managed_role is not None and self.trusted_service.startswith("ec2.")
        )

    @model_validator(mode="after")
    def _one_role(self) -> Self:
        given = [self.new_role, self.existing_role, self.imported_role, self.instance_profile]
        if sum(value is not None for value in given) != 1:
            raise ValueError(
                'give one of "new_role", "existing_role", "imported_role" and "instance_profile"'
            )
        if self.instance and (self.new_role is None or not self.trusted_service.startswith("ec2.")):
            raise ValueError('"instance" needs a "new_role" that EC2 may assume')
        return self

    def note(self) -> str | None:
        """Return what is not known of the service, where it is named."""
        if "trusted_service" not in self.model_fields_set or self.trusted_service in KNOWN:
            return None
        near = near_match(self.trusted_service, KNOWN)
        return (
            f'"{self.trusted_service}" is not known here: it is taken to need sts:AssumeRole and '
            "no more; where its guide asks for more (sts:TagSession, sts:SetSourceIdentity), make "
            "the role by hand" + (f'. Did you mean "{near}"?' if near else "")
        )


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
    existing: BucketName | None = None
    imported: BucketName | None = None
    policy: Annotated[
        Literal["create", "merge", "import"] | None,
        Field(
            description='"create" (nobody owns the bucket policy yet), "merge" (somebody does) or '
            '"import" (this link takes it over)',
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
        """What the bucket is called in the names of outputs."""
        return _label(f"{self.account}_{self.name}")

    @property
    def name(self) -> str:
        """Its name or its prefix."""
        return str(self.existing or self.imported or self.new_prefix)

    @property
    def id(self) -> str:
        """What tells it from every other bucket; an alias has no dot."""
        kinds = {"existing": self.existing, "imported": self.imported}
        kind = next((kind for kind, name in kinds.items() if name), "new")
        return f"{self.account}.{kind}.{self.name}"

    @model_validator(mode="after")
    def _one_bucket(self) -> Self:
        given = [self.new_prefix, self.existing, self.imported]
        if sum(value is not None for value in given) != 1:
            raise ValueError('give one of "new_prefix", "existing" and "imported"')
        choices = (None,) if self.new_prefix else ("create", "merge" if self.existing else "import")
        if self.policy not in choices:
            raise ValueError(
                'a new bucket has no other policy: leave out "policy"'
                if self.new_prefix
                else 'with "existing", say who owns its bucket policy: '
                '"policy": "create" (nobody yet) or "merge" (you get the statements to merge)'
                if self.existing
                else 'with "imported", say whether it has a bucket policy: '
                '"policy": "create" (none) or "import" (one, to be taken over)'
            )
        if self.existing and self.key == "new":
            raise ValueError('an existing bucket has its key: give its ARN, or leave out "key"')
        if self.existing and self.force_destroy:
            raise ValueError('an existing bucket is never deleted: leave out "force_destroy"')
        if self.imported and self.force_destroy:
            raise ValueError('an imported bucket is never deleted: leave out "force_destroy"')
        if ".." in self.name or ".-" in self.name or "-." in self.name:
            raise ValueError(f'S3 takes no bucket named "{self.name}": leave out the double signs')
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
    imported: Annotated[
        bool, Field(description="true: the role exists, and this link takes it over")
    ] = False
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


HardeningChoice = Annotated[
    bool | HardeningSwitches,
    Field(description="true (everything), false or single switches", examples=[True]),
]


def _switches(hardening: bool | HardeningSwitches) -> Hardening:
    if isinstance(hardening, bool):
        return HARDENED if hardening else NONE
    return Hardening(**hardening.model_dump())


def _owned_policies(buckets: Sequence[LinkBucket]) -> list[tuple[str, str, str]]:
    return [
        (what, bucket.account, bucket.name)
        for bucket in buckets
        for what, owned in (
            ("the bucket", bucket.imported),
            ("the bucket policy of", bucket.policy in ("create", "import")),
        )
        if owned
    ]


def _foreign_keys(buckets: Sequence[LinkBucket], info: ValidationInfo) -> list[str]:
    """Return what is wrong with the keys that are given by ARN."""
    accounts = (info.context or {}).get("accounts")
    found = []
    for bucket in buckets:
        settings = accounts.get(bucket.account) if isinstance(accounts, dict) else None
        if not isinstance(settings, dict) or bucket.key in (None, "new"):
            continue
        _, key_partition, _, region, account_id, _ = str(bucket.key).split(":")
        if key_partition != partition(region):
            found.append(
                f'the key of "{bucket.name}" is in the partition {key_partition}, its region in '
                f"{partition(region)}: correct its ARN"
            )
        if region != settings.get("region"):
            found.append(
                f'the key of "{bucket.name}" is in {region}, its bucket in '
                f"{settings.get('region')}: S3 takes keys of the bucket's region only"
            )
        if settings.get("account_id") not in (None, account_id):
            found.append(
                f'the key of "{bucket.name}" belongs to account {account_id}, its bucket to '
                f"{settings['account_id']}: use a key of the bucket's account"
            )
    return found


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
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it."""
        return _switches(self.hardening)

    def owned(self) -> list[tuple[str, str, str]]:
        """Return what only one link can create: its kind, its account and its name."""
        roles = [(c.account, c.managed_role) for c in self.consumers if c.managed_role]
        roles += [(self.assumed_role.account, self.assumed_role.name)] if self.assumed_role else []
        return [
            *(("the role", account, name) for account, name in roles),
            *_owned_policies(self.buckets),
        ]

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        named = [c.account for c in self.consumers] + [b.account for b in self.buckets]
        named += [self.assumed_role.account] if self.assumed_role else []
        found = [*unknown_accounts(named, info), *in_two_partitions(named, info)]
        if self.pattern == "assume-role" and self.assumed_role is None:
            found.append(
                'the pattern "assume-role" needs a role to assume: add '
                '"assumed_role": {"account": "account2", "name": "reports-worker"}'
            )
        if self.pattern == "direct-access" and self.assumed_role is not None:
            found.append('"assumed_role" is for the pattern "assume-role": leave it out')
        if self.assumed_role is None:
            found += [
                f'"trusted_service" of "{consumer.name}": an existing role has its own; with '
                '"assume-role" it says who hands out its sessions, here leave it out'
                for consumer in self.consumers
                if consumer.managed_role is None and "trusted_service" in consumer.model_fields_set
            ]
        if self.access.vpc_endpoint_ids and any(c.instance for c in self.consumers):
            found.append(
                'an "instance" gets a network of its own, without the endpoint of '
                '"vpc_endpoint_ids": leave out one of them'
            )
        found += _foreign_keys(self.buckets, info)
        for what, labels in (
            ("consumer", [consumer.label for consumer in self.consumers]),
            ("bucket", [bucket.label for bucket in self.buckets]),
        ):
            repeated = {label for label in labels if labels.count(label) > 1}
            found += [
                f'two {what}s have the output name "{label}": leave one out, or declare two links'
                for label in sorted(repeated)
            ]
        if found:
            raise ValueError("; ".join(found))
        return self


class Rule(_Model):
    """What is replicated, and how."""

    priority: Annotated[
        int, Field(description="a number from 1 to 2147483647", examples=[1], ge=1, le=2147483647)
    ] = 1
    prefix: Annotated[
        str,
        Field(
            description="a prefix (1,024 characters at most, no $ or %)",
            examples=["reports/"],
            pattern=r"^[^$%\x00-\x1f]*$",
            max_length=1024,
        ),
    ] = ""
    tags: Annotated[
        dict[
            Annotated[str, _text("a tag's key", "share", r"^[A-Za-z0-9 +=._:/@-]+$", 128)],
            Annotated[str, _text("a tag's value", "yes", r"^[A-Za-z0-9 +=._:/@-]*$", 256)],
        ],
        Field(description="an object of tags", examples=[{"share": "yes"}], max_length=10),
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
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it: versioning is on in any case."""
        return replace(_switches(self.hardening), versioning=True)

    def owned(self) -> list[tuple[str, str, str]]:
        """Return what only one link can create: its kind, its account and its name."""
        roles = [(self.source.account, self.role_name)]
        roles += [(self.destination.account, f"{self.role_name}-back")] if self.both_ways else []
        roles += [(self.source.account, f"{self.role_name}-batch")] if self.batch_role else []
        sources = [self.source, *([self.destination] if self.both_ways else [])]
        return [
            *(("the role", account, name) for account, name in roles),
            *(
                ("the replication configuration of", bucket.account, bucket.name)
                for bucket in sources
                if not bucket.new_prefix
            ),
            *_owned_policies([self.source, self.destination]),
        ]

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        named = [self.source.account, self.destination.account]
        found = [*unknown_accounts(named, info), *in_two_partitions(named, info)]
        found += _foreign_keys([self.source, self.destination], info)
        found += problems([rule.rule for rule in self.rules])
        ends = [(b.account, b.name) for b in (self.source, self.destination)]
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


class Links(_Model, Deployment):
    """Every link, and the accounts that they are between."""

    schema_: Annotated[str | None, Field(alias="$schema")] = None
    accounts: Annotated[
        dict[AccountAlias, LinkAccount],
        Field(
            description="two accounts or more, by their aliases",
            examples=[
                {
                    "account1": {"region": "ap-northeast-1", "profile": "account1"},
                    "account2": {"region": "ap-northeast-1", "profile": "account2"},
                }
            ],
            min_length=2,
        ),
    ]
    links: Annotated[
        dict[Annotated[str, _text("a link's name", "reports", r"^[a-z][a-z0-9-]{0,62}$")], AnyLink],
        Field(description="the links by their names", examples=[{"reports": {}}], min_length=1),
    ]

    def notes(self) -> list[str]:
        """Return what cannot be known here of what is declared, each with its place."""
        return [
            f"links.{name}.consumers[{number}].trusted_service: {note}"
            for name, link in self.links.items()
            for number, consumer in enumerate(link.consumers if isinstance(link, Link) else ())
            if (note := consumer.note())
        ]


def read_links(file: Path) -> Links:
    """Return the checked links in ``file``, or raise :class:`ConfigurationError`."""
    content = json_object(text_of(file), str(file))
    links = checked(Links, content, source=str(file), accounts_at=("accounts",))
    found = [
        f"{file}: links.{name}: is the name of a stack of this project: choose another"
        for name in RESERVED
        if name in links.links
    ]
    owners = {_key(*thing): place for thing, place in _supporting(links)}
    for name, link in links.links.items():
        for what, account, thing in link.owned():
            key = _key(what, account, thing)
            if key in owners:
                found.append(
                    f"{file}: links.{name}: {what} {thing!r} in {account} is created by "
                    f"{owners[key]} too: choose another name, or make it one link"
                )
            owners.setdefault(key, f"links.{name}")
    if found:
        raise ConfigurationError(found)
    return links


def _key(what: str, account: str, name: str) -> tuple[str, str, str]:
    """Return what tells things apart: IAM's names differ by more than case, S3's are global."""
    return (what, "" if "bucket" in what else account, name.lower())


def _supporting(links: Links) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield what the stacks beside the links create, and where that is declared."""
    for role in links.pipeline.roles if links.pipeline else ():
        for alias in links.accounts:
            yield ("the role", alias, role), "pipeline"
    if isinstance(links.state, S3State):
        for what in ("the bucket", "the bucket policy of"):
            yield (what, links.state.account, links.state.bucket), "state"


def schema() -> str:
    """Return the JSON schema of a links file."""
    return json.dumps(Links.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
