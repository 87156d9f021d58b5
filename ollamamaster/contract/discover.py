"""`data` of `discover`, and the lines of `discover --watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.times import rfc3339
from ollamamaster.domain.instances import Locality

if TYPE_CHECKING:
    from ollamamaster.domain.changes import Change
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.probes import ScanReport
    from ollamamaster.domain.snapshot import Fleet


def discover_data(fleet: Fleet, scan: ScanReport) -> dict[str, Any]:
    """`{"instances": [INSTANCE…], "scan": {…}, "counts": {…}}`."""
    return {
        "instances": [instance_data(instance) for instance in fleet],
        "scan": {
            "hosts": scan.hosts,
            "ports": scan.ports,
            "probes": scan.probes,
            "open": scan.open,
            "duration_s": round(scan.duration_s, 4),
            "identify_s": round(scan.identify_s, 4),
        },
        "counts": {
            **{str(at): sum(i.locality is at for i in fleet) for at in Locality},
            "up": len(fleet.up),
            "down": len(fleet) - len(fleet.up),
            "models": models_count(fleet),
        },
    }


def models_count(fleet: Fleet) -> int:
    """Unique names of models on instances that are up."""
    return len({model.name for instance in fleet.up for model in instance.models})


def instance_data(instance: Instance) -> dict[str, Any]:
    """INSTANCE."""
    gpu, latency = instance.gpu, instance.latency_ms
    return {
        "id": instance.id,
        "url": instance.address.url,
        "host": instance.address.host,
        "port": instance.address.port,
        "aliases": list(instance.aliases),
        "locality": str(instance.locality),
        "status": str(instance.status),
        "version": instance.version,
        "latency_ms": None if latency is None else round(latency, 3),
        "gpu": {
            "count": gpu.count,
            "source": str(gpu.source),
            "vram_total": gpu.vram_total,
            "vram_used": gpu.vram_used,
        },
        "models": [str(model.name) for model in instance.models],
        "loaded": [
            {
                "model": str(model.name),
                "size": model.size,
                "size_vram": model.size_vram,
                "context_length": model.context_length,
                "expires_at": rfc3339(model.expires_at),
            }
            for model in instance.loaded
        ],
        "labels": dict(instance.labels),
        "first_seen": rfc3339(instance.first_seen),
        "last_seen": rfc3339(instance.last_seen),
    }


def change_data(change: Change) -> dict[str, Any]:
    """One line of `--json --watch`."""
    return {
        "type": "change",
        "at": rfc3339(change.at),
        "instance": change.instance,
        "what": str(change.what),
        "model": change.model,
    }
