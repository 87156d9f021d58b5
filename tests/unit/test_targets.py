"""The TARGET grammar and the scope of a scan."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.instances import InstanceAddress
from ollamamaster.domain.probes import Probes
from ollamamaster.domain.targets import Target, check_scope, parse_ports, ports_text, union
from ollamamaster.errors import UsageError

PORTS = (range(11434, 11500),)


@pytest.mark.parametrize(
    ("text", "network", "ports"),
    [
        ("192.168.1.7", "192.168.1.7/32", ()),
        ("192.168.1.0/24", "192.168.1.0/24", ()),
        ("192.168.1.77/24", "192.168.1.0/24", ()),
        ("fd00::7", "fd00::7/128", ()),
        ("[fd00::7]", "fd00::7/128", ()),
        ("fd00::/120", "fd00::/120", ()),
        ("192.168.1.7:8000-8010", "192.168.1.7/32", (range(8000, 8011),)),
        ("[fd00::7]:8000-8010", "fd00::7/128", (range(8000, 8011),)),
        ("127.0.0.1:80,90-91", "127.0.0.1/32", (range(80, 81), range(90, 92))),
        ("::ffff:192.168.1.7", "192.168.1.7/32", ()),
    ],
)
def test_an_address_or_network_is_scanned_on_its_ports(
    text: str, network: str, ports: tuple[range, ...]
) -> None:
    target = Target.parse(text)
    assert (target.network, target.ports) == (ipaddress.ip_network(network), ports)
    assert target.address is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("gaming-pc:11434", InstanceAddress("gaming-pc", 11434)),
        ("GAMING-pc.:80", InstanceAddress("gaming-pc", 80)),
        ("192.168.1.7:11434", InstanceAddress("192.168.1.7", 11434)),
        ("[::1]:11435", InstanceAddress("::1", 11435)),
        ("http://gaming-pc", InstanceAddress("gaming-pc", 80)),
        ("https://gw.lan/a/", InstanceAddress("gw.lan", 443, "https", "/a")),
        ("http://[fd00::7]:11434/x/y", InstanceAddress("fd00::7", 11434, "http", "/x/y")),
    ],
)
def test_a_url_or_a_single_port_names_one_endpoint(text: str, address: InstanceAddress) -> None:
    assert Target.parse(text).address == address


def test_a_name_is_kept_to_be_resolved() -> None:
    target = Target.parse("gaming-pc:11434-11440")
    assert (target.name, target.network, target.ports) == (
        "gaming-pc",
        None,
        (range(11434, 11441),),
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "host is missing"),
        (":11434", "host is missing"),
        ("host:", "''"),
        ("host:0", "'0'"),
        ("host:65536", "'65536'"),
        ("host:80-70", "'80-70'"),
        ("host:80-", "''"),
        ("host:http", "'http'"),
        ("host:80-90-100", "'90-100'"),
        ("192.168.1.256", "'192.168.1.256'"),
        ("192.168.1.0/33", "'33'"),
        ("192.168.1.0/", "''"),
        ("192.168.1.0/24/8", "'24/8'"),
        ("192.168.1.0/24:80", "'24:80'"),
        ("fd00::/129", "'129'"),
        ("gaming-pc/24", "'gaming-pc'"),
        ("ftp://host", "'ftp'"),
        ("http://host:99999", "'99999'"),
        ("http://user@host", "no user"),
        ("a b", "'a b'"),
        ("-host", "'-host'"),
        ("[::1]x", "bracket"),
        ("0.0.0.0", "0.0.0.0"),
        ("239.1.2.3", "239.1.2.3"),
        ("fe80::1%eth0", "zone"),
    ],
)
def test_what_is_wrong_in_a_target_is_named(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse(text)
    assert part in caught.value.message


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_a_usage_error(text: str) -> None:
    try:
        target = Target.parse(text)
    except UsageError:
        return
    assert (target.network is None) != (target.name is None)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 50)), min_size=1, max_size=8))
def test_a_list_of_port_ranges_holds_each_port_once(spans: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" for first, more in spans)
    ports = [port for r in parse_ports(text) for port in r]
    assert ports == sorted({p for first, more in spans for p in range(first, first + more + 1)})


@given(st.lists(st.builds(range, st.integers(1, 99), st.integers(1, 99)), max_size=6))
def test_the_text_of_ports_reads_back_as_the_same_ports(ranges: list[range]) -> None:
    ports = union(ranges)
    assert not ports or parse_ports(ports_text(ports)) == ports


def scope(*texts: str, yes: bool = False, allow_public: bool = False) -> None:
    check_scope(map(Target.parse, texts), yes=yes, allow_public=allow_public)


@pytest.mark.parametrize("text", ["10.0.0.0/22", "fd00::/118", "127.0.0.0/24", "169.254.3.0/24"])
def test_up_to_1024_private_addresses_need_no_question(text: str) -> None:
    scope(text, "8.8.8.8", "example.com")


@pytest.mark.parametrize("texts", [["10.0.0.0/21"], ["fd00::/117"], ["10.0.0.0/22", "10.9.0.0/30"]])
def test_more_than_1024_addresses_need_yes(texts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        scope(*texts)
    assert "--yes" in (caught.value.hint or "")
    scope(*texts, yes=True)


@pytest.mark.parametrize("text", ["10.0.0.0/15", "fd00::/64"])
def test_more_than_65536_addresses_are_refused_even_with_yes(text: str) -> None:
    with pytest.raises(UsageError, match="too many"):
        scope(text, yes=True, allow_public=True)


def test_65536_addresses_are_possible_with_yes() -> None:
    scope("10.0.0.0/16", yes=True)


@pytest.mark.parametrize("text", ["8.8.8.0/30", "100.64.0.0/24", "2001:db8::/126", "9.0.0.0/7"])
def test_a_public_range_needs_its_own_permission(text: str) -> None:
    with pytest.raises(UsageError, match="public range"):
        scope(text, yes=True)


def test_a_public_range_is_scanned_when_allowed() -> None:
    scope("100.64.0.0/24", allow_public=True)


def test_one_public_address_is_always_allowed() -> None:
    scope("8.8.8.8/32", "8.8.4.4", "2001:db8::1")


@given(
    st.lists(
        st.tuples(st.integers(0, 63), st.integers(26, 32), st.integers(1, 9), st.integers(0, 5)),
        max_size=5,
    )
)
def test_overlapping_networks_are_probed_once_a_pair(
    parts: list[tuple[int, int, int, int]],
) -> None:
    wanted = [
        (ipaddress.ip_network(f"10.0.0.{host}/{length}", strict=False), (range(port, port + n),))
        for host, length, port, n in parts
    ]
    probes = Probes.of(wanted)
    pairs = list(probes)
    expected = {
        (str(host), port)
        for network, ports in wanted
        for host in network.hosts()
        for r in ports
        for port in r
    }
    assert len(pairs) == len(set(pairs)) == len(probes)
    assert set(pairs) == expected
    assert all(pair in probes for pair in pairs)


def test_the_network_and_broadcast_addresses_are_left_out() -> None:
    assert len(Probes.of([(ipaddress.ip_network("127.0.0.0/24"), PORTS)])) == 254 * 66


def test_every_host_is_tried_on_the_first_port_before_the_second() -> None:
    network = ipaddress.ip_network("127.0.0.0/30")
    pairs = list(Probes.of([(network, (range(1, 3),))]))
    assert pairs == [("127.0.0.1", 1), ("127.0.0.2", 1), ("127.0.0.1", 2), ("127.0.0.2", 2)]
