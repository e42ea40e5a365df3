"""One request, evaluated: its verdict, and what lets or refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_links.reach import buckets
from s3_links.reach.evaluate import evaluate
from s3_links.reach.logic import Test, alternatives, atoms, given
from s3_links.world import Bucket

from .answer import Step
from .reasons import Reason, lets, perhaps, refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_links.live.buckets import FoundBucket, FoundObject
    from s3_links.reach.evaluate import Decision
    from s3_links.reach.logic import Atom, Formula
    from s3_links.world import Request, World

    from .answer import Verdict


class Judge:
    """Judges requests by what was read, of a bucket and an object more than documents say."""

    def __init__(
        self, world: World, bucket: FoundBucket | None, object_: FoundObject | None
    ) -> None:
        self._world, self._bucket, self._object = world, bucket, object_

    def __call__(self, request: Request) -> Step:
        """Return what the documents, and what else is known, say of a request."""
        decision = evaluate(self._world, request)
        facts = dict(self._facts(request))

        def known(atom: Atom) -> Formula:
            return facts.get(atom, atom)

        allowed = given(decision.allowed, known)
        verdict: Verdict = "undecided"
        if isinstance(allowed, bool):
            verdict = "allowed" if allowed else "refused"
        reasons: list[Reason] = []
        if verdict == "refused":
            reasons = [*self._settings(request), *refusals(self._world, decision)]
            reasons = reasons or [_of_the_whole(decision)]
        elif verdict == "undecided":
            reasons = perhaps(decision)
        return Step(
            request=request,
            verdict=verdict,
            lets=lets(decision),
            refuses=reasons,
            only_if=[] if isinstance(allowed, bool) else alternatives(allowed),
            keys=sorted({key for atom in atoms(allowed) for key in _keys(atom)}),
        )

    def without(self, request: Request, reason: Reason) -> Step:
        """Return a request as refused for a reason that no document is asked about."""
        return Step(
            request=request,
            verdict="refused",
            refuses=[reason],
        )

    def _facts(self, request: Request) -> Iterator[tuple[Formula, bool]]:
        """Yield what the evaluator does not know of ownership and ACLs, and was read."""
        found = self._bucket
        behind = self._world.behind(request.resource)
        if found is None or self._world.resource(behind) is not found.resource:
            return
        owned, private = None, found.private
        if self._object is not None and "/" in behind:
            owned, private = self._object.owned, self._object.private
        if owned is not None:
            yield buckets.governs(found.resource, request.action), owned
        if private:  # whom an ACL lets that names others is not decided here
            yield buckets.acl(found.resource, request.action), False

    def _settings(self, request: Request) -> Iterator[Reason]:
        """Yield what refuses a request beside the documents."""
        resource = self._world.resource(self._world.behind(request.resource))
        if not isinstance(resource, Bucket):
            return
        is_own = request.principal.account == resource.account
        if not is_own and buckets.restricted(resource) is True:
            yield Reason(
                what="public access block",
                account=resource.account,
                of=resource.arn,
                told="RestrictPublicBuckets keeps other accounts out while the policy is public",
                cause="public-access-block",
            )
        by_owner = buckets.governs(resource, request.action) is not True
        if by_owner and self._object is not None and self._object.owned is False:
            yield Reason(
                what="object",
                account=resource.account,
                of=request.resource,
                told=f"belongs to the account that wrote it ({resource.ownership}): "
                "the bucket policy does not cover it",
                cause="object-owner",
            )


def _of_the_whole(decision: Decision) -> Reason:
    """Return the reason where no statement and no half is one by itself."""
    request = decision.request
    told = decision.note or "no request can meet all that lets it"
    return Reason(
        what="request", account="", of=request.resource, told=told, cause="nothing-lets-it"
    )


def _keys(atom: Atom) -> frozenset[str]:
    return atom.keys if isinstance(atom, Test) else frozenset()
