"""Ranges of the public addresses that requests to AWS come from."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

_NEVER = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)
"""What no request to AWS comes from, unless through a VPC endpoint, where it has no address."""


def address_range(written: str) -> str:
    """Return a range as AWS takes it, or raise ``ValueError``."""
    try:
        network = ip_network(written, strict=False)
    except ValueError:
        raise ValueError(
            f'"{written}" is no range of IP addresses: write for example "203.0.113.0/24"'
        ) from None
    if written not in (str(network), str(network.network_address)) or (
        "/" not in written and network.num_addresses > 1
    ):
        raise ValueError(f'"{written}" is not how the range is written: write "{network}"')
    for never in _NEVER:
        if network.version == never.version and network.subnet_of(never):  # type: ignore[arg-type]
            raise ValueError(f'"{written}" is private, which AWS never sees: name public addresses')
    return written


def not_everything(ranges: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ranges, or raise ``ValueError`` where together they are every address."""
    networks = [ip_network(written) for written in ranges]
    fourth = collapse_addresses(n for n in networks if isinstance(n, IPv4Network))
    sixth = collapse_addresses(n for n in networks if isinstance(n, IPv6Network))
    if any(not network.prefixlen for network in fourth) or any(not n.prefixlen for n in sixth):
        raise ValueError("together they are every address: name those of your networks")
    return ranges
