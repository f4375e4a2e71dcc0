"""Lists of addresses and networks, and lists in which nothing may stand twice."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Network, ip_address, ip_network

from webapp.settings.mistakes import Mistake, shown

_MAPPED = IPv6Network("::ffff:0:0/96")


def networks(entries: Sequence[str], place: str) -> Iterator[Mistake]:
    yield from repeated(entries, place)
    for index, entry in enumerate(entries):
        if message := _network(entry):
            yield Mistake(f"{place}[{index}]", message)


def repeated(entries: Sequence[str], place: str) -> Iterator[Mistake]:
    for index, entry in enumerate(entries):
        if entry in entries[:index]:
            yield Mistake(f"{place}[{index}]", f"{shown(entry)} stands in the list twice")


def _network(entry: str) -> str | None:
    text, _, prefix = entry.partition("/")
    try:
        address, network = ip_address(text), ip_network(entry, strict=False)
    except ValueError:
        return f"{shown(entry)} is neither an address nor a network such as 192.0.2.0/24"
    if "%" in entry:
        return f"{shown(entry)} names an interface; leave the part from % out"
    if prefix and not prefix.isdecimal():
        return f"{shown(entry)} must give its prefix as a number: {network}"
    if address != network.network_address:
        return f"{shown(entry)} has bits set beyond its prefix; the network is {network}"
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return f"{shown(entry)} never matches: write IPv4 addresses in their own form"
    return None
