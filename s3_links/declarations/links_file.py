"""The links file: every link between accounts, declared in ``links.json``.

The models below check it, and are what ``links.schema.json`` is generated from, so that an editor
completes and checks it too.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from s3_cross_account.access import NO_CONDITIONS, Access, Conditions
from s3_cross_account.actions import LEVELS
from s3_cross_account.hardening import HARDENED, NONE, Hardening
from s3_cross_account.replication_rule import STORAGE_CLASSES, ReplicationRule, problems
from s3_cross_account.settings import AccountSettings
from s3_cross_account.spelling import near_match
from s3_cross_account.trusted_services import KNOWN

from .checking import STRICT, nothing_of
from .deployment import Deployment
from .names import (
    JAVASCRIPT,
    REFERENCE_STACK,
    AccountAlias,
    BucketName,
    BucketPrefix,
    InstanceProfileName,
    RoleName,
    TagKey,
    TagValue,
    text,
)
from .pipeline import STACK as PIPELINE_STACK
from .state import BUCKET_STACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .checking import Problem


class _Model(BaseModel):
    model_config = STRICT


def _given(key: str) -> dict[str, Any]:
    """Return the schema of what has a value for ``key``: null is none."""
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _one_of(*keys: str) -> dict[str, Any]:
    return {"oneOf": [_given(key) for key in keys]}


def _without(*keys: str) -> dict[str, Any]:
    return {"not": {"anyOf": [_given(key) for key in keys]}}


def _when(condition: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    return {"if": condition, "then": then}


def _filled(key: str) -> dict[str, Any]:
    return {"required": [key], "properties": {key: {"minItems": 1}}}


def _is(**values: Any) -> dict[str, Any]:
    """Return the schema of what has these values."""
    return {
        "required": list(values),
        "properties": {key: {"enum": value} for key, value in values.items()},
    }


class LinkAccount(AccountSettings):
    """One account: how Terraform reaches it, and what everything created in it shares."""

    permissions_boundary: Annotated[
        str | None,
        text(
            "the ARN of a managed policy",
            "arn:aws:iam::123456789012:policy/boundary",
            r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        ),
    ] = None
    log_bucket: BucketName | None = None


def _label(name: str) -> str:
    """Return a name as Terraform's outputs can have it."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)


class Consumer(_Model):
    """A role that gets access: a new one, or one that exists."""

    model_config = ConfigDict(
        json_schema_extra={
            **_one_of("new_role", "existing_role", "imported_role", "instance_profile"),
            **_when(
                _is(instance=[True]),
                {
                    "required": ["new_role"],
                    "properties": {"trusted_service": {"pattern": "^ec2[.]"}},
                },
            ),
        }
    )

    account: AccountAlias
    new_role: RoleName | None = None
    existing_role: RoleName | None = None
    imported_role: RoleName | None = None
    instance_profile: InstanceProfileName | None = None
    trusted_service: Annotated[
        str,
        text(
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
        nothing_of(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[str]:
        given = [self.new_role, self.existing_role, self.imported_role, self.instance_profile]
        if sum(value is not None for value in given) != 1:
            yield 'give one of "new_role", "existing_role", "imported_role" and "instance_profile"'
        if self.instance and (self.new_role is None or not self.trusted_service.startswith("ec2.")):
            yield '"instance" needs a "new_role" that EC2 may assume'

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

    model_config = ConfigDict(
        json_schema_extra={
            **_one_of("new_prefix", "existing", "imported"),
            "allOf": [
                _when(_given("new_prefix"), _without("policy")),
                _when(
                    _given("existing"),
                    _is(policy=["create", "merge"])
                    | {"not": {"anyOf": [_is(key=["new"]), _is(force_destroy=[True])]}},
                ),
                _when(
                    _given("imported"),
                    _is(policy=["create", "import"]) | {"not": _is(force_destroy=[True])},
                ),
            ],
        }
    )

    account: AccountAlias
    new_prefix: BucketPrefix | None = None
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
        text(
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
        nothing_of(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[str]:
        given = [self.new_prefix, self.existing, self.imported]
        if sum(value is not None for value in given) != 1:
            yield 'give one of "new_prefix", "existing" and "imported"'
            return
        choices = (None,) if self.new_prefix else ("create", "merge" if self.existing else "import")
        if self.policy not in choices:
            yield (
                'a new bucket has no other policy: leave out "policy"'
                if self.new_prefix
                else 'with "existing", say who owns its bucket policy: '
                '"policy": "create" (nobody yet) or "merge" (you get the statements to merge)'
                if self.existing
                else 'with "imported", say whether it has a bucket policy: '
                '"policy": "create" (none) or "import" (one, to be taken over)'
            )
        if self.existing and self.key == "new":
            yield 'an existing bucket has its key: give its ARN, or leave out "key"'
        if self.existing and self.force_destroy:
            yield 'an existing bucket is never deleted: leave out "force_destroy"'
        if self.imported and self.force_destroy:
            yield 'an imported bucket is never deleted: leave out "force_destroy"'


class LinkAccess(_Model, Conditions):
    """What is granted, and under which conditions."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"not": {"allOf": [{"required": ["level"]}, _given("actions")]}},
                {"not": {"allOf": [_filled("vpc_endpoint_ids"), _filled("source_ips")]}},
            ]
        }
    )

    level: Annotated[
        Literal[tuple(LEVELS)],  # type: ignore[valid-type]
        Field(
            description=f"one of {', '.join(LEVELS)} (copies between buckets: copy-with-tags, as"
            " AWS CLI version 2 reads the tags of objects over 8 MB)",
            examples=["read-only"],
        ),
    ] = "list-get-put"
    actions: Annotated[
        list[str] | None,
        Field(description="a list of S3 actions", examples=[["s3:GetObject"]], min_length=1),
    ] = None
    prefixes: Annotated[
        list[str], Field(description="a list of prefixes", examples=[["reports/"]])
    ] = []

    @property
    def access(self) -> Access:
        """The access as the library has it."""
        return self._granted(Conditions(**self.model_dump(include=set(Conditions.model_fields))))

    def _granted(self, conditions: Conditions) -> Access:
        return Access(
            actions=tuple(self.actions) if self.actions else LEVELS[self.level],
            prefixes=tuple(self.prefixes),
            conditions=conditions,
        )

    def _contradictions(self) -> Iterator[str]:
        yield from super()._contradictions()
        if self.actions is not None and "level" in self.model_fields_set:
            yield 'give "level" or "actions", not both'
        try:
            _ = self._granted(NO_CONDITIONS)
        except ValueError as error:  # what S3 does not know
            yield str(error)


class AssumedRole(_Model):
    """The role to assume, for the pattern ``assume-role``."""

    account: AccountAlias
    name: RoleName
    imported: Annotated[
        bool, Field(description="true: the role exists, and this link takes it over")
    ] = False
    external_id: Annotated[
        str | None, text("an external id", "s3-link-7f3a", r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$")
    ] = None


class HardeningSwitches(_Model):
    """One switch each; left out is off."""

    public_access_block: bool = False
    tls_only: bool = False
    versioning: bool = False
    lifecycle: bool = False
    encryption: bool = False
    access_logging: Annotated[
        bool,
        Field(
            description='true or false (a log bucket that exists is the "log_bucket" of its '
            "account)",
            examples=[True],
        ),
    ] = False
    imdsv2: bool = False
    ebs_encryption: bool = False
    ebs_optimized: bool = False
    https_egress_only: bool = False
    default_security_group_closed: bool = False


HardeningChoice = Annotated[
    bool | HardeningSwitches,
    Field(description="true (everything), false or single switches", examples=[True]),
]


def _switches(hardening: bool | HardeningSwitches) -> Hardening:
    if isinstance(hardening, bool):
        return HARDENED if hardening else NONE
    return Hardening(**hardening.model_dump())


def _imports(buckets: Sequence[LinkBucket], roles: Sequence[str | None] = ()) -> list[str]:
    """Return what is taken over, each as its resource type and its name."""
    return [
        *(f"aws_iam_role/{role}" for role in roles if role),
        *(f"aws_s3_bucket/{bucket.imported}" for bucket in buckets if bucket.imported),
    ]


class Link(_Model):
    """A link by direct access or AssumeRole, its own stack and its own state."""

    model_config = ConfigDict(
        json_schema_extra={
            **_when(_is(pattern=["assume-role"]), _given("assumed_role")),
            "else": _without("assumed_role"),
        }
    )

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
            validate_default=True,
        ),
    ] = None
    survive_role_recreation: Annotated[bool, Field(description="true or false")] = False
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it."""
        return _switches(self.hardening)

    @property
    def imports(self) -> list[str]:
        """What the link takes over, each as its resource type and its name."""
        roles = [consumer.imported_role for consumer in self.consumers]
        assumed = [self.assumed_role] if self.assumed_role else []
        return _imports(self.buckets, [*roles, *(role.name for role in assumed if role.imported)])

    @field_validator("consumers")
    @classmethod
    def _with_services(cls, consumers: list[Consumer], info: ValidationInfo) -> list[Consumer]:
        direct = info.data.get("pattern") == "direct-access"
        nothing_of(
            f'"trusted_service" of "{c.name}": an existing role has its own; with "assume-role" it '
            "says who hands out its sessions, here leave it out"
            for c in consumers
            if direct and c.managed_role is None and "trusted_service" in c.model_fields_set
        )
        return consumers

    @field_validator("access")
    @classmethod
    def _with_instances(cls, access: LinkAccess, info: ValidationInfo) -> LinkAccess:
        if any(c.instance for c in info.data.get("consumers", ())):
            nothing_of(
                f'an "instance" gets a network of its own, without {what}: leave out one of them'
                for what, asked in {
                    'the endpoint of "vpc_endpoint_ids"': access.vpc_endpoint_ids,
                    'an address of "source_ips"': access.source_ips,
                }.items()
                if asked
            )
        return access

    @field_validator("assumed_role")
    @classmethod
    def _of_the_pattern(cls, role: AssumedRole | None, info: ValidationInfo) -> AssumedRole | None:
        pattern = info.data.get("pattern")
        if pattern == "assume-role" and role is None:
            raise ValueError(
                'is missing: the pattern "assume-role" needs a role to assume: add '
                '"assumed_role": {"account": "account2", "name": "reports-worker"}'
            )
        if pattern == "direct-access" and role is not None:
            raise ValueError('is for the pattern "assume-role": leave it out')
        return role


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
        dict[TagKey, TagValue],
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

    def _contradictions(self) -> Iterator[str]:
        yield from super()._contradictions()
        if self.existing and not self.versioned:
            yield (
                "S3 replicates versioned buckets only: enable versioning on the bucket and say so "
                'with "versioned": true'
            )


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

    @property
    def imports(self) -> list[str]:
        """What the link takes over, each as its resource type and its name."""
        return _imports(self.buckets)

    @property
    def buckets(self) -> list[ReplicatedBucket]:
        """Both ends."""
        return [self.source, self.destination]

    @field_validator("destination")
    @classmethod
    def _another_end(cls, destination: ReplicatedBucket, info: ValidationInfo) -> ReplicatedBucket:
        if source := info.data.get("source"):
            nothing_of(_between(source, destination))
        return destination

    @field_validator("rules")
    @classmethod
    def _possible(cls, rules: list[Rule]) -> list[Rule]:
        nothing_of(problems([rule.rule for rule in rules]))
        return rules

    @field_validator("both_ways")
    @classmethod
    def _also_back(cls, both_ways: bool, info: ValidationInfo) -> bool:
        source, destination = info.data.get("source"), info.data.get("destination")
        if both_ways and source and destination and destination.key and not source.key:
            raise ValueError('both ways, with a key at one end only: give the source a "key" too')
        return both_ways


def _between(source: ReplicatedBucket, destination: ReplicatedBucket) -> Iterator[str]:
    if (source.account, source.name) == (destination.account, destination.name):
        yield "source and destination are the same bucket: name two"
    elif source.account == destination.account:
        yield "source and destination are in the same account: name two"
    if source.key and not destination.key:
        yield (
            "the source has a KMS key and the destination has none: S3 would not replicate its "
            'objects; give the destination a "key" too'
        )


AnyLink = Annotated[
    Link | ReplicationLink,
    Field(
        discriminator="pattern",
        description='"direct-access", "assume-role" or "replication"',
        examples=["direct-access"],
    ),
]


def _free(name: str) -> str:
    if name in (REFERENCE_STACK, BUCKET_STACK, PIPELINE_STACK):
        raise ValueError("is the name of a stack of this project: choose another")
    if name in JAVASCRIPT:
        raise ValueError("is a word of JavaScript, which cdktf is written in: choose another")
    return name


LinkName = Annotated[
    str,
    text("a link's name (small letters, digits, hyphens)", "reports", r"^[a-z][a-z0-9-]{0,62}$"),
    AfterValidator(_free),
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
        dict[LinkName, AnyLink],
        Field(description="the links by their names", examples=[{"reports": {}}], min_length=1),
    ]

    def notes(self) -> list[Problem]:
        """Return what cannot be known here of what is declared."""
        return [
            (("links", name, "consumers", number, "trusted_service"), note)
            for name, link in self.links.items()
            for number, consumer in enumerate(link.consumers if isinstance(link, Link) else ())
            if (note := consumer.note())
        ]


def schema() -> str:
    """Return the JSON schema of a links file."""
    return json.dumps(Links.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
