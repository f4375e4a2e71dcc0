"""Lists of addresses that let nobody in."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from webapp.settings.gateway import Settings
from webapp.settings.mistakes import Mistake, member, top

Network = IPv4Network | IPv6Network

# An HTTP API is reached over the internet, where nobody comes from here.
_INSIDE = [
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
]


def check(settings: Settings) -> Iterator[Mistake]:
    denied = _read(settings.deny_from)
    if covers_everybody(settings.deny_from):
        message = "refuses every IPv4 address, so that nobody can call; leave 0.0.0.0/0 out"
        yield Mistake(top("denyFrom"), message)
        return
    for index, route in enumerate(settings.routes):
        allowed, place = _read(route.allow_from), f"{top('routes')}[{index}]"
        if allowed and all(_within(network, _INSIDE) for network in allowed):
            message = (
                "names private networks only, but callers come over the internet, with their public"
                " addresses: the route is 403 for all; name those that your network goes out by"
            )
            yield Mistake(member(place, "allowFrom"), message)
        elif allowed and all(_within(network, denied) for network in allowed):
            message = f"names nobody whom {top('denyFrom')} lets in: the route is 403 for all"
            yield Mistake(member(place, "allowFrom"), f"{message}; change one of them")


def covers_everybody(entries: Sequence[str]) -> bool:
    return any(network.version == 4 and network.prefixlen == 0 for network in _read(entries))


def _read(entries: Sequence[str]) -> list[Network]:
    return [ip_network(entry) for entry in entries]


def _within(network: Network, others: Sequence[Network]) -> bool:
    return any(
        other.version == network.version
        and other.prefixlen <= network.prefixlen
        and network.network_address in other
        for other in others
    )
