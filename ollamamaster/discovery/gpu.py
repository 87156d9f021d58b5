"""What GPUs does this machine have? Asked of `nvidia-smi`, which comes with the driver."""

from __future__ import annotations

from ollamamaster.discovery.programs import output_of
from ollamamaster.domain.instances import Gpu, GpuSource

# It takes up to two seconds where the driver is not kept loaded.
_TIMEOUT_S = 3.0
_MIB = 1024 * 1024


class NvidiaSmi:
    """The GpuProbe of machines with NVIDIA's driver."""

    async def read(self) -> Gpu | None:
        """Count and memory of all GPUs of this machine together; None where it cannot be told."""
        text = await output_of(
            "nvidia-smi",
            "--query-gpu=memory.total,memory.used",
            "--format=csv,noheader,nounits",
            timeout_s=_TIMEOUT_S,
        )
        return parse(text) if text else None


def parse(text: str) -> Gpu | None:
    """Read one line `total, used` in MiB for each GPU; None when the text is something else.

    A GPU that shares the machine's memory says `[N/A]`: it counts, its memory stays unknown.
    """
    rows = [
        [cell.strip() for cell in line.split(",")] for line in text.splitlines() if line.strip()
    ]
    if not rows or any(len(row) != 2 or not all(map(_is_figure, row)) for row in rows):
        return None
    total, used = (
        sum(int(row[column]) for row in rows) * _MIB
        if all(row[column].isdigit() for row in rows)
        else None
        for column in (0, 1)
    )
    return Gpu(len(rows), GpuSource.NVIDIA_SMI, total, used)


def _is_figure(cell: str) -> bool:
    return (cell.isascii() and cell.isdigit()) or cell in {"[N/A]", "[Not Supported]"}
