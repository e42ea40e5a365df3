"""Asks AWS, and remembers what it did not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from s3_links.synthesized.policies import parsed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from s3_links.world import Document, DocumentKind

_READ_ONLY = ("get_", "list_", "head_", "describe_")


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account to read in; ``client`` makes its clients by the service's name.

    ``problem`` says why nothing can be asked there.
    """

    alias: str
    id: str
    region: str = ""
    client: Callable[[str], Any]
    problem: str = ""


@dataclass(frozen=True, order=True)
class Unread:
    """A call that was not answered: what it would have read, in which account, and why not."""

    call: str
    of: str
    account: str
    why: str

    def __str__(self) -> str:
        return f"{self.call} ({self.of}) in {self.account}: {self.why}"


class UnreadError(Exception):
    """Something may not be read; the reader has noted it."""


class Reader:
    """Asks the accounts, each with its own credentials; ``unread`` is what was not answered."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.accounts: dict[str, Account] = {}
        for account in accounts:
            self.accounts.setdefault(account.id, account)
        self._unread: dict[Unread, None] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    @property
    def unread(self) -> list[Unread]:
        """What was not answered, in the order in which it was asked."""
        return list(self._unread)

    def ask(
        self, account: str, service: str, call: str, *absent: str, of: str, **arguments: Any
    ) -> Any:
        """Return a reply, all of its pages, or ``None`` where AWS answers a code of ``absent``.

        ``call`` is boto3's name of a call that only reads. Raises :class:`UnreadError`.
        """
        reply, code = self.answer(account, service, call, **arguments)
        if code and code not in absent:
            raise self.missed(account, service, call, of, code)
        return reply

    def missed(self, account: str, service: str, call: str, of: str, code: str) -> UnreadError:
        """Note a call that was not answered, and return the error that says so."""
        name = f"{service}:{''.join(map(str.capitalize, call.split('_')))}"
        unread = Unread(name, of, account, code)
        self._unread[unread] = None
        return UnreadError(str(unread))

    def answer(self, account: str, service: str, call: str, **arguments: Any) -> tuple[Any, str]:
        """Return a reply, or why there is none: AWS's code, or why nothing can be asked."""
        assert call.startswith(_READ_ONLY), call
        known = self.accounts.get(account)
        if known is None:
            return None, "the links file names no account with this id"
        if known.problem:
            return None, known.problem
        try:
            client = self._client(known, service)
            if client.can_paginate(call):
                return client.get_paginator(call).paginate(**arguments).build_full_result(), ""
            return getattr(client, call)(**arguments), ""
        except ClientError as error:
            return None, str(error.response["Error"]["Code"])
        except BotoCoreError as error:
            return None, type(error).__name__

    def document(
        self, kind: DocumentKind, account: str, name: str, content: Callable[[], Any]
    ) -> Document:
        """Return the policy that ``content`` reads, or one that cannot be read."""
        try:
            return parsed(kind, account, name, content())
        except UnreadError as error:
            return unknown(kind, account, name, str(error))

    def _client(self, account: Account, service: str) -> Any:
        if (account.id, service) not in self._clients:
            self._clients[account.id, service] = account.client(service)
        return self._clients[account.id, service]
