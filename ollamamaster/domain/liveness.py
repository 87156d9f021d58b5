"""Is an instance worth asking? Failure accrual, probe, revive.

The idea is Finagle's failure accrual: failures in a row mark an instance dead for a while that
doubles, then one probe decides. Answers that say nothing of the instance's health (busy, a
missing model, a caller's fault) do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

# One failure may be chance; a machine that reboots is back within minutes, so asking every five
# costs nothing and the first pause is short.
FAILURES_TO_SKIP = 2
FIRST_SKIP_S = 5.0
LONGEST_SKIP_S = 300.0


@dataclass(frozen=True, slots=True)
class Health:
    """Failures in a row and, when there were enough, until when the instance is skipped.

    `skipped_until` is seconds since the epoch. An instance whose skip has ended is asked for
    its version before it is used again.
    """

    failures: int = 0
    skip_s: float = 0.0
    skipped_until: float = 0.0

    def skipped(self, now: float) -> bool:
        """Whether the instance is not to be used at this moment."""
        return now < self.skipped_until

    def needs_probe(self, now: float) -> bool:
        """Whether the skip has ended and a probe must decide."""
        return self.skip_s > 0 and now >= self.skipped_until

    def failed(self, now: float) -> Health:
        """After one more failure."""
        failures = self.failures + 1
        if failures < FAILURES_TO_SKIP:
            return replace(self, failures=failures)
        skip_s = min(LONGEST_SKIP_S, self.skip_s * 2) if self.skip_s else FIRST_SKIP_S
        return Health(failures, skip_s, now + skip_s)

    def succeeded(self) -> Health:
        """After an answer of any kind: it is alive."""
        return Health()


HEALTHY = Health()
