"""What was judged of a run: its checks, its verdict and its exit code."""

from __future__ import annotations

from dataclasses import dataclass, field

from rgb2swir_ros.hil.result import HilRun, Observation, Responses
from rgb2swir_ros.report.model import Verdict

EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3, Verdict.ERROR: 4}

# Kinds of checks: a limit of the scenario, the return from a fault, what every run must keep.
THRESHOLD, RECOVERY, RULE = 'threshold', 'recovery', 'rule'


@dataclass(frozen=True)
class Check:
    """A case of the evidence: a threshold, a recovery, or a rule that every run must keep.

    :param name: stable from run to run.
    :param kind: `THRESHOLD`, `RECOVERY` or `RULE`.
    :param value: what was measured; None if nothing could be.
    :param text: the verdict in words.
    :param lower: whether the limit is the lowest value allowed, and not the highest.
    """

    name: str
    kind: str
    verdict: Verdict
    text: str
    value: float | None = None
    limit: float | None = None
    unit: str = ''
    phase: str = ''
    camera: str = ''
    lower: bool = False


@dataclass
class HilResult:
    """A judged run."""

    run: HilRun
    observation: Observation
    responses: Responses
    checks: list[Check] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks: error, then inconclusive as to the bench, then fail, then pass.

        A run whose bench was overloaded says nothing about the system under test, whatever failed
        in it; a threshold without anything to measure hides no other one that failed.
        """
        found = {check.verdict for check in self.checks}
        if Verdict.ERROR in found:
            return Verdict.ERROR
        inconclusive = Verdict.INCONCLUSIVE
        if any(check.verdict is inconclusive and check.kind == RULE for check in self.checks):
            return inconclusive
        return next((one for one in (Verdict.FAIL, inconclusive) if one in found), Verdict.PASS)

    @property
    def decided_by(self) -> list[str]:
        """Names of the checks that made the verdict what it is; empty of a pass."""
        verdict = self.verdict
        if verdict is Verdict.PASS:
            return []
        found = [check for check in self.checks if check.verdict is verdict]
        rules = [check for check in found if check.kind == RULE]
        return [check.name
                for check in (rules if verdict is Verdict.INCONCLUSIVE and rules else found)]

    @property
    def exit_code(self) -> int:
        """Of `rgb2swir hil`."""
        return EXIT_CODES[self.verdict]
