"""`data` of `assess`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.contract.decision import candidate_data, rounded

if TYPE_CHECKING:
    from ollamamaster.domain.assessment import Assessment
    from ollamamaster.domain.findings import Finding
    from ollamamaster.domain.task import Range


def assess_data(found: Assessment) -> dict[str, Any]:
    """An assessment: the answer, how sure it is, what to do, what is missing, and why."""
    recommended = found.recommended
    return {
        "can_handle": found.can_handle,
        "confidence": rounded(found.confidence),
        "recommended": candidate_data(recommended) if recommended is not None else None,
        "approach": found.approach,
        "command": found.command,
        "run": str(found.run) if found.run is not None else None,
        "estimate": _estimate(found.estimate),
        "alternatives": [candidate_data(candidate) for candidate in found.alternatives],
        "missing": [{"code": m.code, "what": m.what, "fix": m.fix} for m in found.missing],
        "reasons": list(found.reasons),
        "requirements": [_finding(finding) for finding in found.findings],
        "understood": list(found.understood),
    }


def _estimate(estimate: Range | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {
        "p20_s": rounded(estimate.p20),
        "p50_s": rounded(estimate.p50),
        "p80_s": rounded(estimate.p80),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "key": finding.key,
        "asks": finding.asks,
        "verdict": str(finding.verdict).replace(" ", "_"),
        "figure": finding.figure,
        "value": rounded(finding.value),
        "limit": rounded(finding.limit),
        "source": finding.source,
        "chance": rounded(finding.chance),
    }
