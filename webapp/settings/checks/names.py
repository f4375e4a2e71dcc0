"""Names as networks spell them: those of hosts, of domains and of header fields."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")


def is_host(host: str) -> bool:
    """A name or an address that resolvers agree about."""
    if address(host):
        return True
    labels = host.split(".")
    # 1.2.3, 127.1 and 0x7f.1 are addresses to some resolvers and names to others.
    numeric = re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", labels[-1])
    return not numeric and len(host) <= 253 and all(map(_LABEL.fullmatch, labels))


def is_domain(name: str) -> bool:
    """A name that a certificate can be issued for, in lower case: no address, no underscore."""
    plain = name == name.lower() and "_" not in name and "." in name
    return plain and is_host(name) and not address(name)


def is_header(name: str) -> bool:
    return bool(_HEADER.fullmatch(name))


def address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is; an IPv4 one in IPv6 spelling leads where the IPv4 one does."""
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return (found.ipv4_mapped if isinstance(found, IPv6Address) else None) or found
