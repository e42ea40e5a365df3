"""From the question to the answer: what to ask, of whom, and what comes of it."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3_links.declarations import read_links
from s3_links.live.reader import Account, Reader
from s3_links.operations import accounts
from s3_links.operations.credentials import Credentials
from s3_links.operations.labels import Labels
from s3_links.operations.stack import OperationError
from s3_links.reach import actions
from s3_links.synthesized.blocks import foreign_accounts

from .answer import Answer
from .declared import Declared
from .evidence import OF_AN_ORGANIZATION, judged
from .explaining import Explaining
from .question import Finder, Question, Target
from .remedy import Remedies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from s3_links.declarations.links import AnyLink
    from s3_links.operations.stack import Stack
    from s3_links.world import Principal

    from .pasted import Pasted

_FOR_A_KEY = {"kms:Decrypt": "s3:GetObject", "kms:GenerateDataKey": "s3:PutObject"}
_OF_REGIONS = ("PermanentRedirect", "AuthorizationHeaderMalformed", "301")
_USUAL = {":role/": "sts:AssumeRole", ":kms:": "kms:Decrypt"}


def explain(stacks: Sequence[Stack], question: Question) -> tuple[Answer, Labels]:
    """Return why a request is refused, or that it is not, and how to show what it names."""
    providers = {p["alias"]: p for stack in stacks for p in stack.providers}
    reader = reader_of(stacks)
    ids = {account.alias: account.id for account in reader.accounts.values()}
    links = read_links.declared()
    explained = Explained(
        reader,
        Declared(stacks, ids, links),
        links.links if links else {},
        {ids[alias]: p["profile"] for alias, p in providers.items() if p.get("profile")},
        question,
    )
    return explained.answer(), Labels(ids)


def reader_of(stacks: Sequence[Stack]) -> Reader:
    """Return what reads in the accounts that the stacks are declared for."""
    return Reader(_accounts(stacks))


def _accounts(stacks: Sequence[Stack]) -> Iterator[Account]:
    providers = {p["alias"]: p for stack in stacks for p in stack.providers}
    for entry in accounts.reached(stacks):
        credentials = functools.cache(functools.partial(Credentials, providers[entry.alias]))
        yield Account(
            alias=entry.alias,
            id=entry.pinned or entry.account or entry.alias,
            region=providers[entry.alias]["region"],
            client=functools.partial(_client, credentials),
            problem=f"{entry.alias}: {entry.problem}" if entry.problem else "",
        )

    for stack in stacks:
        for alias, id_ in foreign_accounts(stack.content).items():
            told = f"{alias} is foreign: nobody here has credentials for it"
            yield Account(alias=alias, id=id_, client=_unreached, problem=told)


def _unreached(service: str) -> Any:
    raise AssertionError(f"{service} is asked in an account without credentials")


def _client(credentials: Callable[[], Credentials], service: str) -> Any:
    return credentials().client(service)


class Explained:
    """The answer to one question, from what accounts hold and what stacks declare."""

    def __init__(
        self,
        reader: Reader,
        declared: Declared,
        links: Mapping[str, AnyLink],
        profiles: Mapping[str, str],
        question: Question,
    ) -> None:
        self._reader, self._declared, self._links = reader, declared, links
        self._profiles, self._question = profiles, question
        self._finder = Finder(reader, declared)

    def answer(self) -> Answer:
        """Ask, and return what was found."""
        who = self._who()
        parts = [self._at(who, where, wanted) for where, wanted in self._asked().items()]
        return Answer(
            steps=[step for part in parts for step in part.steps],
            declared=list(dict.fromkeys(line for part in parts for line in part.declared)),
            notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
            unread=[str(one) for one in self._reader.unread],
            next=next((part.next for part in parts if part.next), ""),
        )

    def _at(self, who: Principal, where: str, wanted: list[str]) -> Answer:
        """Return the answer of one target."""
        pasted, target = self._question.pasted, self._finder.where(where)
        remedies = Remedies(
            declared=self._declared, links=self._links, target=target, profiles=self._profiles
        )
        if target.bucket:  # S3 asks for the key
            wanted = [_FOR_A_KEY.get(action, action) for action in wanted]
        if not wanted:
            target, wanted = self._usual(who, target)
        explaining = Explaining(
            self._reader, self._declared, target, self._question.context, self._question.endpoint
        )
        steps = list(explaining.steps(who, wanted))
        notes: list[str] = []
        if pasted:
            steps = judged(steps, pasted, explaining.unseen, target.owner.account)
            notes += _of_region(pasted, target)
        not_allowed = [step for step in steps if step.verdict != "allowed"]
        if explaining.unseen & OF_AN_ORGANIZATION and not not_allowed:
            notes.append(
                "an organization's policies were not read: they may refuse it all the same"
            )
        first = min(not_allowed, key=lambda step: step.verdict != "refused", default=None)
        return Answer(
            steps=steps,
            declared=[line for step in steps for line in remedies.told(step)],
            notes=notes,
            next=remedies.next(first) if first else "",
        )

    def _who(self) -> Principal:
        pasted = self._question.pasted
        text = self._question.who or (pasted.who if pasted else "")
        if not text:
            raise OperationError("WHO is missing, the message does not say it: a role or its ARN")
        return self._finder.who(text)

    def _asked(self) -> dict[str, list[str]]:
        """Return where something is asked, with the actions there."""
        question = self._question
        requests = question.pasted.requests if question.pasted else ()
        actions_ = [_known(action) for action in question.actions]
        if question.where:
            return {question.where: actions_ or [action for action, _ in requests if action]}
        asked: dict[str, list[str]] = {}
        for action, where in requests:
            if where:
                asked.setdefault(where, []).extend([action] if action else [])
        if not asked:
            raise OperationError(
                "WHERE is missing, the message does not say it: a bucket, an object or a key"
            )
        return {where: actions_ or wanted for where, wanted in asked.items()}

    def _usual(self, who: Principal, target: Target) -> tuple[Target, list[str]]:
        """Return what is usually asked: what is declared between both, else to read."""
        for sign, action in _USUAL.items():
            if sign in target.arn and not target.bucket:
                return target, [action]
        route = self._declared.route(who, target.arn)
        usual = route.actions if route else []
        if route and route.prefix and not target.key:
            target = replace(target, key=route.prefix)
        on = [a for a in usual if not target.key or "object" in actions.resource_types(a)]
        if target.key.endswith("/"):
            on = usual
        return target, on or ["s3:GetObject" if target.key else "s3:ListBucket"]


def _of_region(pasted: Pasted, target: Target) -> Iterator[str]:
    if pasted.code in _OF_REGIONS and target.owner.region:
        yield f"the bucket is in {target.owner.region}: ask there, with --region or in the profile"


def _known(action: str) -> str:
    name = actions.canonical(action if ":" in action else f"s3:{action}")
    if name not in actions.known():
        raise OperationError(f"--action: {action!r} is no action of S3, KMS or STS")
    return name
