"""How fast are the models of an instance, by what those that were measured show of its hardware?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from ollamamaster.domain.hardware_prior import (
    Hardware,
    hardware_of,
    prior_of,
    prior_rates,
    share_outside,
    spills,
)
from ollamamaster.domain.measures import Z80, number
from ollamamaster.domain.rates import Rate, Rates, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.models import Model
    from ollamamaster.domain.profile_rows import Row

# How far a rate derived from other models of the same machine may be off, as sigma of its
# logarithm; a model of half or twice the size says less of this one. Of 24 published llama-bench
# results derived from another size (RTX 4090 and 3060, M1 Max, M4; 2 to 9 GB) half are within 8%,
# all within 45%, and 22 within the 80% quantile this gives.
_DERIVED_SIGMA = 0.25
_DERIVED_SIGMA_PER_DOUBLING = 0.08
# A model that spills out of graphics memory is slower than its neighbours tell.
_SPILLED_SIGMA = 0.5


class _Shown(NamedTuple):
    """Which models a rate was measured of, by name and size in doublings, and log(it / prior)."""

    of: tuple[tuple[str, float], ...] = ()
    factors: tuple[float, ...] = ()


class _Near(NamedTuple):
    """How much each of those says of a model, and how many doublings the nearest is away."""

    weights: Sequence[float]
    total: float
    nearest: float


@dataclass(frozen=True, slots=True)
class Site:
    """An instance as all its models share it.

    `_special` are the names of those that were measured or are in memory, which says something of
    them that is not true of others of their size.
    """

    instance: Instance
    _hardware: Hardware
    _special: frozenset[str]
    _decode: _Shown
    _prefill: _Shown
    _load: _Shown
    _kept: dict[object, Rates] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, instance: Instance, row: Row) -> Site:
        """The instance with what its row says of its models; what is damaged says nothing."""
        hardware = hardware_of(instance)
        seen: dict[str, dict[tuple[str, float], float]] = {"decode": {}, "prefill": {}, "load": {}}
        models = row.get("models")
        for model, figures in models.items() if isinstance(models, dict) else ():
            size = number(figures.get("bytes"), 1, 1e15) if isinstance(figures, dict) else None
            active = number(figures.get("active"), 1e-6, 1) if size is not None else None
            if size is None or active is None or spills(size, instance):
                # What was seen on a cold start has no share; what cannot fit was spilled.
                continue
            prior = prior_of(size, active, hardware)
            for (name, found), rate in zip(seen.items(), prior, strict=True):
                value = number(figures.get(name), 1e-9, 1e9)
                if value is not None:
                    bits = math.log2(size if name == "load" else size * active)
                    found[model, bits] = math.log(value / rate.median)
        decode, prefill, load = (_Shown(tuple(s), tuple(s.values())) for s in seen.values())
        measured = {name for found in seen.values() for name, _ in found}
        special = frozenset(measured | {loaded.name.text for loaded in instance.loaded})
        return cls(instance, hardware, special, decode, prefill, load)

    def rates(self, model: Model) -> Rates:
        """The prior of a model corrected by what the others showed."""
        size, active, name = model.size_bytes, model.active_fraction, model.name.text
        if model.remote_host is not None or not size:
            return prior_rates(model, self.instance)
        key = size, active, name if name in self._special else None
        found = self._kept.get(key)
        if found is None:
            outside = share_outside(model, self.instance)
            prior = prior_of(size, active, self._hardware, outside)
            more_sigma = _SPILLED_SIGMA if outside else 0.0
            found = self._kept[key] = self._corrected(prior, model, math.log2(size), more_sigma)
        return found

    def _corrected(self, prior: Rates, model: Model, bits: float, more_sigma: float) -> Rates:
        decode, prefill, load = self._decode, self._prefill, self._load
        if not (decode.of or prefill.of or load.of):
            return prior
        own, active_bits = model.name.text, bits + math.log2(model.active_fraction)
        near = near_prefill = near_load = _near(decode.of, own, active_bits)
        # Most often all three were measured of the same models.
        if prefill.of != decode.of:
            near_prefill = _near(prefill.of, own, active_bits)
        if load.of != decode.of or bits != active_bits:
            near_load = _near(load.of, own, bits)
        return Rates(
            _as_near(prior.decode, decode.factors, near, more_sigma),
            _as_near(prior.prefill, prefill.factors, near_prefill, more_sigma),
            _as_near(prior.load_s, load.factors, near_load, 0.0),
        )


def _near(of: Sequence[tuple[str, float]], own: str, bits: float) -> _Near:
    """What the others say of a model of so many doublings; its own figure says nothing here."""
    weights = [0.0 if name == own else 1 / (1 + (bits - other) ** 2) for name, other in of]
    total = sum(weights)
    nearest = of[weights.index(max(weights))][1] if total else bits
    return _Near(weights, total, abs(bits - nearest))


def _as_near(prior: Rate, factors: Sequence[float], near: _Near, more_sigma: float) -> Rate:
    """A prior that is off as those near it were off theirs."""
    if not near.total:
        return prior
    sigma = _DERIVED_SIGMA + _DERIVED_SIGMA_PER_DOUBLING * near.nearest + more_sigma
    median = prior.median * math.exp(sum(map(mul, near.weights, factors)) / near.total)
    return Rate(median, math.exp(Z80 * sigma), Source.DERIVED)
