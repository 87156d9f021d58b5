"""How instances are named, and how far away they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.instances import InstanceAddress, Locality, locality_of
from ollamamaster.errors import UsageError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("gpu", "http://gpu:11434"),
        ("GPU.lan.", "http://gpu.lan:11434"),
        ("gpu:8080", "http://gpu:8080"),
        ("10.0.0.7", "http://10.0.0.7:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:11500", "http://[::1]:11500"),
        ("http://gpu", "http://gpu:80"),
        ("https://gw.lan/a/", "https://gw.lan:443/a"),
        ("http://[FE80:0::1]:9/x", "http://[fe80::1]:9/x"),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, url: str) -> None:
    assert InstanceAddress.parse(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "gpu:0", "gpu:65536", "gpu:x", "ftp://gpu", "gpu/a", "[::1]junk", "[::1"),
        *("300.1.1.1", "1.2.3", "-gpu", "a b", "http://user@gpu", "http://gpu/?q", "::1::2"),
    ],
)
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        InstanceAddress.parse(text)
    assert repr(text) in caught.value.message


def test_what_is_no_address_is_named_once_and_told_where_it_says_what_to_write() -> None:
    with pytest.raises(UsageError) as caught:
        InstanceAddress.parse("300.1.1.1")
    assert caught.value.message == "'300.1.1.1' is no address"
    assert caught.value.hint == "what to write: ollamamaster help targets"


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("::1", "http://[::1]:11434"),
        ("  'gpu:1'  ", "http://gpu:1"),
        ("gpu:notaport", "http://gpu:11434"),
        ("gpu:70000", "http://gpu:11434"),
        ("http://gpu", "http://gpu:80"),
        ("https://gpu", "https://gpu:443"),
        ("https://gpu:9/ollama", "https://gpu:9/ollama"),
        ("ollama.com", "https://ollama.com:443"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(value: str, url: str) -> None:
    address = InstanceAddress.from_ollama_host(value)
    assert address is not None
    assert address.url == url


@pytest.mark.parametrize("value", ["", "  ", "''", '""'])
def test_an_empty_ollama_host_names_nothing(value: str) -> None:
    assert InstanceAddress.from_ollama_host(value) is None


HOSTS = st.one_of(
    st.ip_addresses().map(str),
    st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,8})?", fullmatch=True),
)


@given(
    host=HOSTS,
    port=st.integers(1, 65535),
    scheme=st.sampled_from(["http", "https"]),
    prefix=st.sampled_from(["", "/a", "/a/b"]),
)
def test_an_address_survives_being_written_as_a_url(
    host: str, port: int, scheme: str, prefix: str
) -> None:
    address = InstanceAddress.parse(f"{scheme}://{_url_host(host)}:{port}{prefix}")
    assert InstanceAddress.parse(address.url) == address
    assert address.port == port


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = InstanceAddress.parse(text)
    except UsageError:
        return
    assert address.host


@pytest.mark.parametrize(
    ("addresses", "locality"),
    [
        ({"127.0.0.1"}, Locality.LOCAL),
        ({"::1"}, Locality.LOCAL),
        ({"192.168.1.5"}, Locality.LOCAL),
        ({"192.168.1.6"}, Locality.LAN),
        ({"fd00::1"}, Locality.LAN),
        ({"169.254.7.7"}, Locality.LAN),
        ({"100.64.0.1"}, Locality.REMOTE),
        ({"8.8.8.8"}, Locality.REMOTE),
        ({"192.168.1.6", "8.8.8.8"}, Locality.REMOTE),
        (set(), Locality.REMOTE),
    ],
)
def test_locality_follows_the_addresses(addresses: set[str], locality: Locality) -> None:
    assert locality_of(frozenset(addresses), frozenset({"192.168.1.5"})) is locality
