"""What is declared in a benchmark."""

from __future__ import annotations

from typing import Any

ALIASES = ("account1", "account2")
ACCOUNTS: dict[str, Any] = {
    alias: {"region": "eu-west-1", "profile": alias, "account_id": str(number) * 12}
    for number, alias in enumerate(ALIASES, 1)
}
LINKS: dict[str, dict[str, Any]] = {
    "accounts": ACCOUNTS,
    "links": {
        f"link-{n}": {
            "pattern": "direct-access",
            "consumers": [{"account": "account1", "new_role": f"r-{n}-{r}"} for r in range(5)],
            "buckets": [{"account": a, "new_prefix": f"b-{n}-", "key": "new"} for a in ALIASES],
            "access": {"level": "read-write-delete", "prefixes": ["a/", "b/"]},
            "hardening": True,
        }
        for n in range(40)
    },
}
"""Forty links of ten grants each."""
