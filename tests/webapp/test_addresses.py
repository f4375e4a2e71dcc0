from ipaddress import IPv4Address, IPv4Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.addresses import Networks, group, read

# Networks within 16 neighbours, so that every address can be asked.
NEIGHBOURS = [IPv4Address("192.0.2.0") + i for i in range(16)]
SMALL = st.lists(
    st.builds(
        lambda i, bits: str(IPv4Network((int(NEIGHBOURS[i]) >> bits << bits, 32 - bits))),
        st.integers(0, 15),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        (" 198.51.100.7 ", "198.51.100.7"),
        ("198.51.100.7:51234", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:51234", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:c633:6407]:443", "198.51.100.7"),
    ],
)
def test_an_address_is_read_in_every_spelling(text: str, address: str) -> None:
    assert read(text) == ip_address(address)


@pytest.mark.parametrize("text", ["", "gw.example.com", "198.51.100", "1.2.3.4.5", "::g", "[", "٣"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert read(text) is None


@given(st.text())
def test_reading_never_raises(text: str) -> None:
    read(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("nobody", "unknown"),
    ],
)
def test_ipv6_clients_count_by_64(text: str, name: str) -> None:
    assert group(read(text)) == name


def test_networks_hold_addresses_of_both_families() -> None:
    networks = Networks(["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"])
    for inside in ("192.0.2.255", "198.51.100.7", "2001:db8:ffff::1", "::ffff:192.0.2.1"):
        assert read(inside) in networks
    for outside in ("192.0.3.0", "198.51.100.8", "2001:db9::", "::c000:201"):
        assert read(outside) not in networks


def test_an_unknown_address_is_in_no_network() -> None:
    assert None not in Networks(["0.0.0.0/0", "::/0"])


def test_only_an_empty_set_is_false() -> None:
    assert not Networks([])
    assert Networks(["192.0.2.0/24"])
    assert Networks(["2001:db8::/32"])


@given(SMALL, SMALL)
def test_covers_means_that_no_address_is_left_out(one: list[str], other: list[str]) -> None:
    outer, inner = Networks(one), Networks(other)
    assert outer.covers(inner) == all(a in outer for a in NEIGHBOURS if a in inner)


def test_no_entries_mean_everyone() -> None:
    everyone, some = Networks([]), Networks(["192.0.2.0/24"])
    assert everyone.covers(some)
    assert everyone.covers(everyone)
    assert not some.covers(everyone)


def test_families_do_not_cover_each_other() -> None:
    v4, v6 = Networks(["0.0.0.0/0"]), Networks(["::/0"])
    assert not v4.covers(v6)
    assert not v6.covers(v4)
    assert Networks(["0.0.0.0/0", "::/0"]).covers(v6)
