"""What AWS's documents ask for, line by line, of the policies that are synthesized.

The lines are in ``aws_requirements``, written from the documents; an independent evaluator decides.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from s3_cross_account.reading import Unreadable, read
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks, foreign_accounts
from s3_links.synthesized.world import world_of
from tests.evaluator import decide
from tests.support.links import accounts, stack_json, synthesize
from tests.support.requirements import Requests, cases, link_name
from tests.support.synthesized import COMPLETION, Synthesized

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from s3_cross_account.policy import Statement
    from s3_links.world import Document
    from tests.support.requirements import Line, Request
    from tests.support.synthesized import Policy

pytestmark = pytest.mark.cost("synthesized")

CASES = cases()
# Lines that the documents have and the policies do not follow yet.
MISSING: dict[str, str] = {}
# What no line asks for: patterns of its case and of itself, with the reason why it is there.
_ONE_HALF = "both halves are written in one account too, where one is enough"
UNASKED = {
    (r"redshift-chain\.copy", r".*: Account1AssumeRole: .*/redshift-b"): _ONE_HALF,
    (r"kms-cross-account\.assumed", r".*: Account2Key: .*"): _ONE_HALF,
    (
        r"shared-buckets\..*",
        r"role\S*sharing-owner\S*: .*|.*: Allow Account1 IamRole(Listing|Objects): .*"
        r"|\S*_key_\S*: Account2Key: .*",
    ): "the owner's own access: asked in direct-access and kms-cross-account",
    (
        r"conditions\.general|foreign-partner\.their-role",
        r".*: Account(Administers|UsesThroughS3): .*",
    ): "asked in kms-cross-account",
    (r"replication-encrypted\..*", r".*: Account1Key: kms:Decrypt .*"): _ONE_HALF,
    (r"(oidc|state-backend)\..*", r".*: Deployment\d*: (?!.*requirements-state).*"): (
        "what the AWS provider calls is no document of AWS's: the pipeline's tests deploy with it"
    ),
    (r"(oidc|state-backend)\..*", r"conditions: (iam|kms|aws:Req).*"): "the same",
    (r"oidc\..*", r".*: Deployment\d*: .*requirements-state.*"): "asked in state-backend",
    (
        r"(datasync|dms|dynamodb-export|transfer-family)\..*|direct-access\.lambda",
        r"conditions: aws:Source(Account|Arn)",
    ): "asked in confused-deputy",
    (r"state-backend\..*", r".*(-trust_.*|: token\.actions.*)"): "asked in oidc",
}
# Nobody asks for this: it takes the place of an action that is taken away.
NOTHING = "iam:ListUsers"


@dataclass(frozen=True, eq=False)
class Question:
    """One action of a line, asked of the policies of a case."""

    case: str
    line: Line
    action: str
    expected: bool

    def __str__(self) -> str:
        verb = "needs" if self.expected else "must not"
        given = "".join(f", {key} {value}" for key, value in self.line.given.items())
        return f"{self.case}: {self.line.who} {verb} {self.action} on {self.line.on}{given}"


def questions() -> Iterator[Question]:
    for name, case in CASES.items():
        for followed in (case, *(CASES[other] for other in case.follows)):
            for expected, lines in ((True, followed.needs), (False, followed.refused)):
                for line in lines:
                    for action in line.actions:
                        yield Question(name, line, action, expected)


QUESTIONS = {str(question): question for question in questions()}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesized]:
    """The stack of each case; the links of all cases with the same settings are in one file."""
    found = {}
    for settings in dict.fromkeys(json.dumps(case.settings) for case in CASES.values()):
        names = [name for name, case in CASES.items() if json.dumps(case.settings) == settings]
        links = {link_name(name): CASES[name].link for name in names}
        links |= {
            f"{link_name(name)}-{other}": link
            for name in names
            for other, link in CASES[name].beside.items()
        }
        folder = tmp_path_factory.mktemp("requirements")
        result = synthesize(
            folder, {"accounts": accounts(), "links": links, **json.loads(settings)}
        )
        assert result.returncode == 0, result.stderr
        for name in names:
            own = CASES[name].stack or link_name(name)
            others = [f"{own}-{other}" for other in CASES[name].beside]
            found[name] = Synthesized(as_one([stack_json(folder, n) for n in (own, *others)]))
    return found


def as_one(stacks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return stacks that decide together as one: the blocks of all."""
    first, *others = stacks
    for other in others:
        for section in ("resource", "data"):
            for type_, blocks in other.get(section, {}).items():
                first[section].setdefault(type_, {}).update(blocks)
        first["output"] |= other["output"]
    return first


@pytest.fixture(scope="module")
def requests(stacks: dict[str, Synthesized]) -> dict[str, list[Request]]:
    """The requests that each question makes."""
    make = {name: Requests(name, CASES[name], stack) for name, stack in stacks.items()}
    return {
        label: list(make[question.case].of(question.line, question.action))
        for label, question in QUESTIONS.items()
    }


@pytest.fixture(scope="module")
def decisions(requests: dict[str, list[Request]]) -> dict[str, list[bool]]:
    """The answer to each of the requests."""
    asked = [request.rendered() for made in requests.values() for request in made]
    answers = iter(decide(asked))
    return {label: [next(answers) for _ in made] for label, made in requests.items()}


def _not_yet(label: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(reason=MISSING[label], strict=True)


@pytest.mark.parametrize(
    "label",
    [
        pytest.param(label, id=label, marks=_not_yet(label) if label in MISSING else ())
        for label in QUESTIONS
    ],
)
def test_the_policies_follow_the_document(label: str, decisions: dict[str, list[bool]]) -> None:
    assert decisions[label]
    assert set(decisions[label]) == {QUESTIONS[label].expected}, QUESTIONS[label].line.why


def without_each(policies: Mapping[str, Policy]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the policies without one action, or without one condition throughout.

    A condition stands on both halves, and one is enough to refuse: so it is taken from both.
    """
    variables = set()
    for policy in policies.values():
        for number, statement in enumerate(policy.document["Statement"]):
            for position, action in enumerate(statement["Action"]):
                changed = deepcopy(policy.document)
                changed["Statement"][number]["Action"][position] = NOTHING
                on = " ".join(statement.get("Resource", ["itself"]))
                what = f"{statement.get('Sid', number)}: {action} on {on}"
                yield f"{policy.name}: {what}", {policy.name: changed}
            for keys in statement.get("Condition", {}).values():
                variables.update(keys)
    for variable in variables:
        changed = {}
        for policy in policies.values():
            document = changed[policy.name] = deepcopy(policy.document)
            for statement in document["Statement"]:
                for keys in statement.get("Condition", {}).values():
                    keys.pop(variable, None)
                statement["Condition"] = {
                    t: k for t, k in statement.get("Condition", {}).items() if k
                }
        yield f"conditions: {variable}", changed


class Trial:
    """The requests of a case, once more with something taken away from its policies."""

    def __init__(
        self, case: str, what: str, changed: dict[str, Any], asked: list[tuple[Request, bool]]
    ) -> None:
        self.case, self.what, self._changed = case, what, changed
        met = [(request, answer) for request, answer in asked if request.meets(changed)]
        self._asked = sorted(met, key=lambda pair: pair[0].action not in what)

    def rendered(self, start: int, end: int | None) -> list[dict[str, Any]]:
        """Return some of the requests as the evaluator takes them."""
        return [request.rendered(self._changed) for request, _ in self._asked[start:end]]

    def as_before(self, answers: Iterator[bool], start: int, end: int | None) -> bool:
        """Whether the answers to these, the next ones, are those without the change."""
        expected = [answer for _, answer in self._asked[start:end]]
        return [next(answers) for _ in expected] == expected


@pytest.fixture(scope="module")
def unasked(
    stacks: dict[str, Synthesized],
    requests: dict[str, list[Request]],
    decisions: dict[str, list[bool]],
) -> dict[str, list[str]]:
    """What can be taken away from the policies of each case without any answer becoming another."""
    of_case: dict[str, list[tuple[Request, bool]]] = defaultdict(list)
    for label, made in requests.items():
        of_case[QUESTIONS[label].case] += zip(made, decisions[label], strict=True)
    trials = [
        Trial(name, what, changed, of_case[name])
        for name, stack in stacks.items()
        for what, changed in without_each(stack.policies)
    ]
    # One answer that becomes another is enough: most do with the first requests.
    for start, end in ((0, 1), (1, 6), (6, None)):
        asked = [request for trial in trials for request in trial.rendered(start, end)]
        answers = iter(decide(asked))
        trials = [trial for trial in trials if trial.as_before(answers, start, end)]
    found: dict[str, list[str]] = {name: [] for name in stacks}
    for trial in trials:
        found[trial.case].append(trial.what)
    return found


@pytest.mark.cost("planned")
@pytest.mark.parametrize("name", CASES)
def test_every_action_and_condition_answers_a_line(
    name: str, unasked: dict[str, list[str]]
) -> None:
    left = [what for what in unasked[name] if not _reasons(name, what)]
    assert left == []


@pytest.mark.cost("planned")
def test_each_reason_is_one(unasked: dict[str, list[str]]) -> None:
    given = {
        reason
        for name, found in unasked.items()
        for what in found
        for reason in _reasons(name, what)
    }
    assert given == set(UNASKED)


def _reasons(name: str, what: str) -> list[tuple[str, str]]:
    return [p for p in UNASKED if re.fullmatch(p[0], name) and re.fullmatch(p[1], what)]


def test_the_one_reader_reads_the_same(stacks: dict[str, Synthesized]) -> None:
    for name, stack in stacks.items():
        world = world_of(Blocks(declared_blocks(stack.stack), aliases_of(stack.stack), stack.stack))
        expected = {
            **{arn: [policy] for arn, policy in stack.on_buckets.items()},
            **{arn: [policy] for arn, policy in stack.on_keys.items()},
            **{arn: [policy] for arn, policy in stack.trusts.items()},
            **{arn: [policy] for arn, policy in stack.on_targets.items()},
            **{arn: [policy] for arn, policy in stack.points.items() if policy},
        }
        resources = {arn: r.policy for arn, r in world.resources.items() if r.policy}
        found = {completed(arn): [policy] for arn, policy in resources.items()}
        assert {arn: p for arn, p in readable(found).items() if p} == {
            pathless(arn): [pathless(repr(read(policy.document))) for policy in policies]
            for arn, policies in expected.items()
        }, name
        identities = {str(who.arn): [*i.policies] for who, i in world.identities.items()}
        foreign = foreign_accounts(stack.stack).values()  # whose roles are in no block
        identity = {a: p for a, p in stack.identity.items() if a.split(":")[4] not in foreign}
        ours = set(map(pathless, identity))
        assert {arn: p for arn, p in readable(identities).items() if arn in ours} == {
            pathless(arn): [pathless(repr(read(policy.document))) for policy in policies]
            for arn, policies in identity.items()
        }, name


def pathless(text: str) -> str:
    """Return what stands for looked-up roles as the reader has it: it knows no path of theirs."""
    named = re.sub(r":role/p/([\w.-]+)-role\b", r":role/role-of-\1", text)
    return named.replace(":role/service-role/", ":role/")


def readable(found: Mapping[str, list[Document]]) -> dict[str, list[str]]:
    """Return the statements of all documents that are written here, with the names completed."""
    written = {
        arn: [
            completed(repr(tuple(map(by_operator, document.statements))))
            for document in documents
            if not any(isinstance(s, Unreadable) for s in document.statements)
        ]
        for arn, documents in found.items()
    }
    return {arn: documents for arn, documents in written.items() if documents or ":role/" in arn}


def by_operator(statement: Statement | Unreadable) -> Statement | Unreadable:
    """Return a statement with its conditions as JSON has them: those of an operator together."""
    if isinstance(statement, Unreadable):
        return statement
    tests = [condition.test for condition in statement.conditions]
    conditions = sorted(statement.conditions, key=lambda condition: tests.index(condition.test))
    return replace(statement, conditions=tuple(conditions))


def completed(text: str) -> str:
    """Return a text with bucket names as Terraform would complete them."""
    return text.replace("…", COMPLETION)
