"""What is an instance called, where is it, and what do we know of it?"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ollamamaster.domain.models import LoadedModel, Model

DEFAULT_PORT = 11434
_SCHEME_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
_UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class Locality(StrEnum):
    """How far away an instance is."""

    LOCAL = "local"
    LAN = "lan"
    REMOTE = "remote"


class Status(StrEnum):
    """`degraded`: `/api/version` answers, but tags or ps failed, or the instance is skipped."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class InstanceAddress:
    """Where an instance answers. `host` is lower-case and, for IPv6, without brackets."""

    host: str
    port: int = DEFAULT_PORT
    scheme: str = "http"
    prefix: str = ""
    # The instance id: `host:port`, IPv6 in brackets, plus the path prefix. A decision asks for
    # it several times a pair, so it is put together once.
    id: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{bracketed(self.host)}:{self.port}{self.prefix}")

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"{self.scheme}://{self.id}"

    @classmethod
    def parse(cls, text: str) -> InstanceAddress:
        """Read `host`, `host:port`, `[v6]:port` or an http(s) URL with an optional path prefix.

        Raises UsageError naming the part that is wrong.
        """
        scheme, separator, rest = text.strip().partition("://")
        if not separator:
            scheme, rest, default = "http", text.strip(), DEFAULT_PORT
        elif scheme.lower() in _SCHEME_PORTS:
            scheme = scheme.lower()
            default = _SCHEME_PORTS[scheme]
        else:
            raise UsageError(f"{text!r}: only http and https are possible, not {scheme!r}")
        authority, slash, path = rest.partition("/")
        if slash and not separator:
            raise UsageError(f"{text!r}: a path needs a URL, such as http://{rest}")
        if any(c in authority for c in "@?#") or any(c in path for c in "?#"):
            raise UsageError(f"{text!r}: no user, query or fragment is possible in an address")
        host, port_text = split_port(authority)
        port = parse_port(port_text, of=text) if port_text is not None else default
        prefix = "/" + path.strip("/") if path.strip("/") else ""
        return cls(parse_host(host, of=text), port, scheme, prefix)

    @classmethod
    def from_id(cls, text: str) -> InstanceAddress:
        """The address of an instance id, which always has its port and tells no scheme.

        Raises UsageError for a text that is none.
        """
        return cls.parse(f"http://{text}")

    @classmethod
    def from_ollama_host(cls, text: str) -> InstanceAddress | None:
        """Read the variable OLLAMA_HOST as Ollama does; None when it is empty.

        The grammar of `envconfig.Host` in Ollama's source: quotes and spaces are trimmed, a
        wrong port falls back to the default, `:port` and the unspecified addresses mean
        loopback (Ollama listens there; a client connects to loopback).
        """
        value = text.strip().strip("\"'").strip()
        if not value:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator:
            scheme, rest = "http", value
            if value == "ollama.com":
                scheme, rest = "https", "ollama.com:443"
        default = _SCHEME_PORTS.get(scheme, DEFAULT_PORT) if separator else DEFAULT_PORT
        authority, _, path = rest.partition("/")
        host, port_text = split_port(authority)
        port = default
        if port_text and port_text.isascii() and port_text.isdigit():
            port = int(port_text) if int(port_text) <= _MAX_PORT else default
        host = host.strip("[]").lower() or "127.0.0.1"
        prefix = "/" + path.strip("/") if path.strip("/") else ""
        return cls(_UNSPECIFIED.get(host, host), port, scheme, prefix)


def bracketed(host: str) -> str:
    """The host as a URL writes it."""
    return f"[{host}]" if ":" in host else host


def split_port(authority: str) -> tuple[str, str | None]:
    """Host and port text of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address."""
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        if bracket and not rest:
            return host, None
        # What follows the bracket without a colon is no port, and is refused as one.
        return host, rest.removeprefix(":") if rest.startswith(":") else rest or "]"
    if authority.count(":") > 1:
        return authority, None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def parse_port(text: str, *, of: str) -> int:
    """A port number from 1 to 65535. Raises UsageError that quotes `of`."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX_PORT:
        return int(text)
    raise UsageError(f"{of!r}: {text!r} is no port, which is a number from 1 to {_MAX_PORT}")


def parse_host(text: str, *, of: str) -> str:
    """A host name or address in its normal form. Raises UsageError that quotes `of`."""
    host = text.lower().rstrip(".")
    if not host:
        raise UsageError(f"{of!r}: the host is missing")
    address = as_ip(host)
    if address is not None:
        return str(address)
    labels = host.split(".")
    if all(c.isdigit() or c == "." for c in host) or ":" in host:
        wrong = f"{of!r} is" if text == of else f"{of!r}: {text!r} is"
        raise UsageError(f"{wrong} no address", hint="what to write: ollamamaster help targets")
    if len(host) > 253 or not all(_is_label(label) for label in labels):
        raise UsageError(f"{of!r}: {text!r} is no host name")
    return host


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= 63
        and all(c.isalnum() or c in "-_" for c in label)
        and not label.startswith("-")
        and not label.endswith("-")
    )


def as_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The host as an address, None when it is a name. An IPv4-mapped address is the IPv4 one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


_LAN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)


def locality_of(addresses: frozenset[str], own_addresses: frozenset[str]) -> Locality:
    """Locality of a host with these resolved addresses, seen from a machine with these of its own.

    RFC 1918, link-local and fc00::/7 are `lan`; 100.64/10 is `remote` unless the config says so.
    Nothing resolved is `remote`, the most careful answer.
    """
    found = [ip for ip in (as_ip(text) for text in addresses) if ip is not None]
    if not found:
        return Locality.REMOTE
    if all(ip.is_loopback or str(ip) in own_addresses for ip in found):
        return Locality.LOCAL
    if all(ip.is_loopback or str(ip) in own_addresses or is_private(ip) for ip in found):
        return Locality.LAN
    return Locality.REMOTE


def is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the address is RFC 1918, link-local or fc00::/7."""
    return any(address.version == net.version and address in net for net in _LAN)


class GpuSource(StrEnum):
    """Who told the GPU facts."""

    CONFIG = "config"
    NVIDIA_SMI = "nvidia-smi"
    EXPORTER = "exporter"
    OBSERVED = "observed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Gpu:
    """GPU facts of an instance, in bytes. Unknown is None, never a guess."""

    count: int | None = None
    source: GpuSource = GpuSource.UNKNOWN
    vram_total: int | None = None
    vram_used: int | None = None


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """What the config says of one instance; None where it says nothing.

    `token_env` is the name of a variable, never the secret itself.
    """

    label: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    locality: Locality | None = None
    slots: int | None = None
    vram_gb: float | None = None
    gpu_count: int | None = None
    bandwidth_gb_s: float | None = None
    token_env: str | None = None
    ca_file: str | None = None
    connect_timeout_s: float = 2.0
    cost_per_hour: float | None = None
    region: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All the client needs to talk to an instance."""

    address: InstanceAddress
    token_env: str | None = None
    ca_file: str | None = None
    connect_timeout_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Instance:
    """One Ollama server: its address, what the config says of it, and what it said last.

    `ram_total` is the main memory of its machine in bytes, where that is this machine.
    """

    address: InstanceAddress
    aliases: tuple[str, ...] = ()
    locality: Locality = Locality.REMOTE
    status: Status = Status.DOWN
    version: str | None = None
    latency_ms: float | None = None
    gpu: Gpu = Gpu()
    models: tuple[Model, ...] = ()
    loaded: tuple[LoadedModel, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: InstanceSettings = InstanceSettings()
    ram_total: int | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    @property
    def id(self) -> str:
        return self.address.id

    @property
    def name(self) -> str:
        """What a person calls it: its label, else its id."""
        return self.settings.label or self.id

    @property
    def memory_bytes(self) -> int | None:
        """Graphics and main memory together; None when either is not known."""
        if self.ram_total is None or self.gpu.vram_total is None:
            return None
        return self.ram_total + self.gpu.vram_total

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            self.address,
            self.settings.token_env,
            self.settings.ca_file,
            self.settings.connect_timeout_s,
        )

    def model(self, name: str) -> Model | None:
        """The model with this full name."""
        return next((m for m in self.models if str(m.name) == name), None)

    def loaded_model(self, name: str) -> LoadedModel | None:
        """The model in memory with this full name."""
        for model in self.loaded:
            if model.name.text == name:
                return model
        return None
