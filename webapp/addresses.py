"""Client addresses: how they are read, grouped and compared with networks."""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address


def read(text: str) -> Address | None:
    """The address in an event's `sourceIp`: port stripped, IPv4-mapped unwrapped; None if bad."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def group(address: Address | None) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 one."""
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)


class Networks:
    """A set of addresses and networks, as `allowFrom`, `denyFrom` and `exempt` list them."""

    def __init__(self, entries: Iterable[str]) -> None:
        networks = [ip_network(entry) for entry in entries]
        # Collapsed, so that a network within several of them together is within one.
        self._v4 = tuple(collapse_addresses(n for n in networks if isinstance(n, IPv4Network)))
        self._v6 = tuple(collapse_addresses(n for n in networks if isinstance(n, IPv6Network)))

    def __bool__(self) -> bool:
        return bool(self._v4 or self._v6)

    def __contains__(self, address: Address | None) -> bool:
        """An unknown address is in no network."""
        networks = self._v6 if isinstance(address, IPv6Address) else self._v4
        return address is not None and any(address in network for network in networks)

    def covers(self, other: "Networks") -> bool:
        """Whether every address of `other` is in here; no entries at all mean everyone."""
        if not self or not other:
            return not self
        return all(any(n.subnet_of(own) for own in self._v4) for n in other._v4) and all(
            any(n.subnet_of(own) for own in self._v6) for n in other._v6
        )
