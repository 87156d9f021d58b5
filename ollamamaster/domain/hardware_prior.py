"""How fast is an instance before anything was learnt about it?"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ollamamaster.domain.instances import GpuSource, Locality
from ollamamaster.domain.models import GB
from ollamamaster.domain.rates import Rate, Rates, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.models import Model

# ms a token = 1.23 x GB read / (GB/s) x 1000 + 1.67: a fit over 15 published llama-bench results
# with a median error of 9%. GB read are the active bytes of the model.
_OVERHEAD_FACTOR = 1.23
_OVERHEAD_S = 0.00167

# Memory bandwidth in GB/s. Main memory: two channels of DDR5. Graphics cards by their memory, as
# cards of one size have much the same: RTX 3060 12 GB 360, 4070 Ti 16 GB 672, 3090 and 4090 936
# to 1,008; 4060 8 GB 272.
_MAIN_MEMORY = 60.0
_BY_VRAM_GB = ((20.0, 900.0), (15.0, 500.0), (11.0, 360.0), (0.0, 250.0))
# Nothing known of the graphics: this machine may have none; another machine that serves models
# on the network usually does so for its card; a remote one is somebody's server.
_UNKNOWN: Mapping[Locality, float] = {
    Locality.LOCAL: 80.0,
    Locality.LAN: 250.0,
    Locality.REMOTE: 400.0,
}

# Prompt tokens a second, times the GB of the model, for each GB/s of bandwidth: about 25 to 36 on
# graphics cards with tensor units (3060: 8,800/360, 4090: 35,000/1,008), 5 to 9 elsewhere (M1
# Max: 2,000/400, M4: 1,080/120).
_PREFILL_ON_CARD = 25.0
_PREFILL_ELSEWHERE = 6.0

# A local SSD gives 2 to 3 GB/s, a network share or a disk far less; half a second to start.
_LOAD_GB_S = 1.5
_LOAD_START_S = 0.5

# A model takes a tenth more than its size with the cache of a usual context.
_WITH_CACHE = 1.1

# How far the truth may lie from such a prior, as a factor for the 80% quantile.
PRIOR_SPREAD = 2.5
CONFIGURED_SPREAD = 1.5

# Tokens a second where nothing can be derived, such as a cloud model: common public services.
_CLOUD_DECODE = 60.0
_CLOUD_PREFILL = 2000.0


class Hardware(NamedTuple):
    """Memory bandwidth in GB/s, whether it is a graphics card's, and who says so."""

    bandwidth: float
    on_card: bool
    source: Source


def prior_rates(model: Model, instance: Instance) -> Rates:
    """Rates from size, hardware and locality alone."""
    if model.cloud or not model.size_bytes:
        return _rates(_CLOUD_DECODE, _CLOUD_PREFILL, 0.0, Source.PRIOR)
    spilled = share_outside(model, instance)
    return prior_of(model.size_bytes, model.active_fraction, hardware_of(instance), spilled)


# Machines of one kind with the same models share them, in a lab by the hundred.
@lru_cache(maxsize=4096)
def prior_of(
    size_bytes: float, active_fraction: float, hardware: Hardware, spilled: float = 0.0
) -> Rates:
    """Rates of any model of this size, of which the share `spilled` is in main memory."""
    bandwidth, on_card, source = hardware
    size_gb = size_bytes / GB
    active_gb = size_gb * active_fraction
    seconds = active_gb * (1 - spilled) / bandwidth + active_gb * spilled / min(
        bandwidth, _MAIN_MEMORY
    )
    prefill = (_PREFILL_ON_CARD if on_card else _PREFILL_ELSEWHERE) * bandwidth / active_gb
    return _rates(
        1 / (_OVERHEAD_FACTOR * seconds + _OVERHEAD_S),
        prefill * (1 - 0.9 * spilled),
        size_gb / _LOAD_GB_S + _LOAD_START_S,
        source,
    )


def _rates(decode: float, prefill: float, load_s: float, source: Source) -> Rates:
    spread = CONFIGURED_SPREAD if source is Source.CONFIGURED else PRIOR_SPREAD
    return Rates(
        Rate(decode, spread, source), Rate(prefill, spread, source), Rate(load_s, spread, source)
    )


def hardware_of(instance: Instance) -> Hardware:
    """What it works with, as configured or else believed."""
    configured = instance.settings.bandwidth_gb_s is not None
    return Hardware(*bandwidth_of(instance), Source.CONFIGURED if configured else Source.PRIOR)


def bandwidth_of(instance: Instance) -> tuple[float, bool]:
    """Memory bandwidth in GB/s, and whether it is a graphics card's."""
    gpu = instance.gpu
    has_card = gpu.vram_total is not None and gpu.vram_total > 0
    if instance.settings.bandwidth_gb_s is not None:
        return instance.settings.bandwidth_gb_s, has_card
    if gpu.vram_total:
        size = gpu.vram_total / GB / max(1, gpu.count or 1)
        return next(rate for least, rate in _BY_VRAM_GB if size >= least), True
    if gpu.source is GpuSource.OBSERVED and gpu.vram_used == 0 and instance.loaded:
        return _MAIN_MEMORY, False
    return _UNKNOWN[instance.locality], instance.locality is not Locality.LOCAL


def share_outside(model: Model, instance: Instance) -> float:
    """Share of the model that does not fit in graphics memory; measured when it is loaded."""
    loaded = instance.loaded_model(model.name.text)
    if loaded is not None and loaded.size and loaded.size_vram:
        return max(0.0, 1 - loaded.size_vram / loaded.size)
    total, size = instance.gpu.vram_total, (model.size_bytes or 0) * _WITH_CACHE
    return 1 - total / size if total and size > total else 0.0


def spills(size_bytes: float, instance: Instance) -> bool:
    """Whether a model of this size is more than the graphics memory, where that is known."""
    total = instance.gpu.vram_total
    return bool(total) and size_bytes * _WITH_CACHE > (total or 0)
