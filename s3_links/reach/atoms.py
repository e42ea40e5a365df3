"""Everything that the documents of two worlds can tell apart, as far as a change touches it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable
from s3_cross_account.through import objects_of
from s3_links.world import (
    ACCESS_POINT,
    AccessPoint,
    Principal,
    anyone_else,
    head_of,
    policy_of,
)

from . import actions
from .callers import callers
from .candidates import substituted
from .changed import Statements, in_identity, in_resource, letting_more, of, statements
from .matching import PIECES, action_matches, arn_matches, keys, whole
from .principals import named
from .regions import left, representatives

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3_cross_account.policy import Statement
    from s3_links.world import Resource, World

_SERVICES = ("s3", "kms", "sts", "iam")
_ANY_OTHER = (
    *("arn:{}:s3:::any-other", "arn:{}:s3:::any-other/any-other"),
    *("arn:{}:kms:any-other:000000000000:key/any-other", "arn:{}:iam::000000000000:role/any-other"),
    "arn:{}:s3:any-other:000000000000:accesspoint/any-other",
)
"""Stand for what is not among the documents."""
_KINDS = frozenset({"bucket", "object", "key", "role", "accesspoint", "accesspointobject"})
"""The types of resources on which actions are evaluated."""
_EVALUATED = re.compile(
    r"[^:]*:[^:]*:(?:s3:::|s3:[^:]*:[^:]*:accesspoint/|kms:[^:]*:[^:]*:key/|iam::[^:]*:role/)"
)
_WITH_OBJECTS = ("bucket policy", ACCESS_POINT)


class Atoms:
    """The requests that have to be compared between two worlds."""

    def __init__(self, before: World, after: World) -> None:
        self._worlds = (before, after)
        self._everything = [s for world in self._worlds for s in statements(world)]
        self._said = _said(self._everything)
        self._patterns = {
            variant
            for statement in self._everything
            if not isinstance(statement, Unreadable)
            for pattern in (*statement.resources, *statement.not_resources)
            for variant in self._variants(pattern)
        }
        self._identities = {
            who: in_identity(*(world.identities.get(who) for world in self._worlds))
            for who in {who for world in self._worlds for who in world.identities}
        }
        self._resources = {
            arn: in_resource(*(world.resources.get(arn) for world in self._worlds))
            for arn in {arn for world in self._worlds for arn in world.resources}
        }
        self._above = before.service_control != after.service_control or (
            before.resource_control != after.resource_control
        )
        self._principals = callers(before, after)
        self._groups: dict[str, list[list[str]]] = {}
        self._objects: dict[str, list[str]] = {}

    # What is compared

    def targets(self) -> list[str]:
        """Return the buckets, keys and roles, and samples of what else a change speaks of."""
        known = sorted(self._resources)
        samples = {
            sample
            for who, changed in self._identities.items()
            for statement in changed or ()
            if not isinstance(statement, Unreadable)
            for pattern in statement.resources or ("*",)
            for variant in self._variants(pattern)
            for sample in self._samples(variant, who.partition)
        }
        return known + sorted(samples)

    def requests(self, target: str) -> Iterator[tuple[Principal, str, list[str], str]]:
        """Yield who is to be asked for which action, what acts alike, and on what."""
        for who in self._principals:
            relevant = self._relevant(who, target)
            if relevant is not None and not relevant:
                continue
            for resource in self._within(target):
                near = [s for s in relevant or () if _is_on(s, resource)]
                for group in self.alike(resource):
                    if relevant is None or any(_speaks_of(s, group[0]) for s in near):
                        yield who, group[0], group, resource

    def not_evaluated(self) -> Iterator[str]:
        """Yield what changes and is none of the actions that are evaluated, or can't be read."""
        for who in self._identities:
            for statement in letting_more(*(world.identities.get(who) for world in self._worlds)):
                if isinstance(statement, Unreadable):
                    yield f"a policy of {who} can't be read: {statement.reason}"
                elif not all(map(_is_objects, statement.resources or ("*",))):
                    for pattern in statement.actions:
                        service = pattern.partition(":")[0].lower()
                        if service not in _SERVICES and not self._known(statement, pattern):
                            yield f"{who}: {pattern} is not evaluated"
                        if service in _SERVICES and (beyond := _beyond(statement, pattern)):
                            yield f"{who}: {pattern} lets {beyond} too, which is not evaluated"
                    if statement.not_actions:
                        others = ", ".join(statement.not_actions)
                        yield f"{who}: everything but {others} is not evaluated"
        for arn, changed in self._resources.items():
            for statement in changed or ():
                if isinstance(statement, Unreadable):
                    yield f"the policy of {arn} can't be read: {statement.reason}"

    def _known(self, statement: Statement, pattern: str) -> bool:
        """Whether a statement is of one action on resources that are there, which are evaluated."""
        return not {"*", "?"} & {*pattern} and {*statement.resources} <= {*self._resources}

    def _variants(self, pattern: str) -> Iterator[str]:
        """Yield a pattern, and what it is where its variables are what conditions name."""
        for one in whole(pattern):
            yield one
            if keys(one) & self._said.keys():
                yield from substituted(one, self._said)

    # Whom a change concerns

    def _relevant(self, who: Principal, target: str) -> Statements | None:
        """Return the changed statements that may concern ``who``; ``None``: anything may."""
        if self._is_new_to_its_owner(who, target):
            return frozenset()
        if self._above:
            return None
        own = self._identities.get(who.identity(), frozenset())
        on = self._resources.get(target, frozenset())
        if own is None:
            return None
        if on is None:
            named_now = any(self._may_name(s, who) for s in self._policies(target))
            return None if named_now or who in self._identities else own
        return own | {s for s in on if self._may_name(s, who)}

    def _is_new_to_its_owner(self, who: Principal, target: str) -> bool:
        """Whether ``who`` stands for the owner's account, which reaches what it makes or drops."""
        resources = [world.resources.get(target) for world in self._worlds]
        owners = {
            anyone_else(r.account, who.partition)
            for r in resources
            if r is not None and not self._leads_elsewhere(r)
        }
        return None in resources and who in owners

    def _leads_elsewhere(self, resource: Resource) -> bool:
        """Whether it is an access point of a bucket that is not known to be its own account's."""
        if not isinstance(resource, AccessPoint):
            return False
        found = (world.resources.get(resource.bucket) for world in self._worlds)
        return not any(one and one.account == resource.account for one in found)

    def _policies(self, arn: str) -> Iterator[Statement | Unreadable]:
        for world in self._worlds:
            resource = world.resources.get(arn)
            yield from of(resource.policy if resource else None)
            if isinstance(resource, AccessPoint) and (behind := world.resource(resource.bucket)):
                yield from of(behind.policy)

    @staticmethod
    def _may_name(statement: Statement | Unreadable, who: Principal) -> bool:
        if isinstance(statement, Unreadable) or statement.not_principals:
            return True
        return bool(named(statement.principals, who))

    # On what

    def _within(self, target: str) -> list[str]:
        """Return ``target`` or, of a bucket, also an object in every region of its keys."""
        if target not in self._objects:
            self._objects[target] = [target, *self._regions(target)]
        return self._objects[target]

    def _regions(self, target: str) -> Iterable[str]:
        if target != head_of(target) or policy_of(target) not in _WITH_OBJECTS:
            return ()
        patterns = frozenset(
            key for pattern in self._patterns for key in _key_patterns(pattern, target)
        )
        keys = (key or "x" for key in representatives(patterns))
        return dict.fromkeys(f"{objects_of(target)}{key}" for key in keys)

    def _samples(self, pattern: str, partition: str) -> Iterator[str]:
        """Yield ARNs that ``pattern`` covers and that are none of the known resources."""
        yield from (
            one.format(partition)
            for one in _ANY_OTHER
            if arn_matches(pattern, one.format(partition), {})
        )
        plain = PIECES.sub(lambda piece: piece["wild"] or "x", pattern)
        parts = plain.split(":", 5)
        if len(parts) == 6 and parts[2] == "s3" and ":accesspoint/" not in plain:
            parts[3] = parts[4] = ""
        text = ":".join(parts).replace("*", "any-other").replace("?", "x")
        of = {text, text.split("/", 1)[0], head_of(text)}
        if arn_matches(plain, text, {}) and not of & self._resources.keys():
            yield text

    # What

    def alike(self, resource: str) -> list[list[str]]:
        """Return the actions on ``resource``, those together that nothing tells apart."""
        type_ = _type(resource)
        if type_ not in self._groups:
            self._groups[type_] = self._grouped(type_)
        return self._groups[type_]

    def _grouped(self, type_: str) -> list[list[str]]:
        service, _, kind = type_.partition(" ")
        readable = [s for s in self._everything if not isinstance(s, Unreadable)]
        named_together = sorted({s.not_actions or s.actions for s in readable})
        patterns = sorted({pattern for together in named_together for pattern in together})
        keys = sorted({c.variable for s in readable for c in s.conditions})
        services = ("sts", "iam") if service == "iam" else (service,)
        candidates = {
            action
            for action in actions.known()
            if action.startswith(tuple(f"{name}:" for name in services))
            and kind in actions.resource_types(action)
        }
        candidates |= {
            sample
            for pattern in patterns
            if pattern.lower().startswith(tuple(f"{name}:" for name in services))
            and (sample := pattern.replace("*", "Any").replace("?", "x"))
            and actions.canonical(sample) not in actions.known()
            and (sample == pattern or service not in _SERVICES)
        }
        groups: dict[tuple[object, ...], list[str]] = defaultdict(list)
        for action in sorted(candidates):
            signature = (
                *(
                    any(action_matches(pattern, action) for pattern in together)
                    for together in named_together
                ),
                *(actions.never_carries(action, key) for key in keys),
                *actions.traits(action),
                action.partition(":")[0],
            )
            groups[signature].append(action)
        return list(groups.values())


def _said(everything: Iterable[Statement | Unreadable]) -> dict[str, list[str]]:
    """Return what is worth a try of each key that a pattern's variable speaks of."""
    readable = [s for s in everything if not isinstance(s, Unreadable)]
    used = {key for s in readable for p in (*s.resources, *s.not_resources) for key in keys(p)}
    said: dict[str, dict[str, None]] = defaultdict(dict)
    for condition in (c for s in readable for c in s.conditions) if used else ():
        if (key := condition.variable.lower()) in used and "Not" not in condition.test:
            for value in condition.values:
                plain = PIECES.sub("", value)
                said[key] |= dict.fromkeys([plain] if plain == value else [plain, f"{plain}x"])
    return {key: list(values) for key, values in said.items()}


def _is_objects(pattern: str) -> bool:
    """Whether ``pattern`` is of objects, on which no other service has an action."""
    return pattern.split(":")[2:3] == ["s3"] and "/" in pattern


def _beyond(statement: Statement, pattern: str) -> str | None:
    """Return an action that ``pattern`` covers and that is on nothing that is evaluated here."""
    if all(map(_is_evaluated, statement.resources or ("*",))):
        return None
    service = pattern.partition(":")[0].lower()
    literal = not {"*", "?"} & {*pattern}
    if actions.canonical(pattern) not in actions.known() and (literal or service == "iam"):
        return pattern  # of IAM only the actions on roles are known
    covered = (a for a in sorted(actions.known()) if action_matches(pattern, a))
    return next((a for a in covered if not actions.resource_types(a) & _KINDS), None)


def _is_evaluated(pattern: str) -> bool:
    """Whether ``pattern`` is of buckets, objects, keys or roles, and of nothing else."""
    return all(map(_EVALUATED.match, whole(pattern)))


def _is_on(statement: Statement | Unreadable, resource: str) -> bool:
    if isinstance(statement, Unreadable) or not statement.resources:
        return True
    return any(
        "${" in pattern or arn_matches(pattern, resource, {})
        for written in statement.resources
        for pattern in whole(written)
    )


def _speaks_of(statement: Statement | Unreadable, action: str) -> bool:
    if isinstance(statement, Unreadable):
        return True
    patterns = statement.not_actions or statement.actions
    return any(action_matches(p, action) for p in patterns) is not bool(statement.not_actions)


def _key_patterns(pattern: str, target: str) -> Iterator[str]:
    """Yield what ``pattern`` says of the keys in a bucket, variables as wildcards."""
    plain = PIECES.sub(lambda piece: piece["wild"] or "*", pattern)
    yield from left(plain, objects_of(target))


def _type(resource: str) -> str:
    service = resource.split(":")[2] if resource.count(":") >= 2 else ""
    if policy_of(resource) == ACCESS_POINT:
        return f"s3 accesspoint{'' if resource == head_of(resource) else 'object'}"
    if service == "s3":
        return "s3 object" if "/" in resource else "s3 bucket"
    return {"kms": "kms key", "iam": "iam role"}.get(service, service)
