"""Lists of addresses and networks, and lists in which nothing may stand twice."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from webapp.settings.mistakes import Mistake, shown


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
    try:
        ip_address(entry.partition("/")[0])
        network = ip_network(entry, strict=False)
    except ValueError:
        return f"{shown(entry)} is neither an address nor a network such as 192.0.2.0/24"
    if "%" in entry:
        return f"{shown(entry)} names an interface; leave the part from % out"
    prefix = entry.partition("/")[2]
    if prefix and not prefix.isdecimal():
        return f"{shown(entry)} must give its prefix as a number: {network}"
    if prefix and ip_address(entry.partition("/")[0]) != network.network_address:
        return f"{shown(entry)} has bits set beyond its prefix; the network is {network}"
    return None
