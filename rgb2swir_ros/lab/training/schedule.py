"""The numbers of steps of the stages, from the preset or from a budget of minutes."""

from __future__ import annotations

from collections.abc import Sequence

from rgb2swir_ros.lab.training.preset import Stage

# a stage is timed from the first to the second of these steps, for a budget in minutes
TIMED_STEPS = (5, 25)
WARM_UP = .02  # largest completed share of a stage before its number of steps is known


class Schedule:
    """The numbers of steps of the stages."""

    def __init__(self, stages: Sequence[Stage], minutes: float | None = None) -> None:
        """Begin with the preset's steps, or without numbers of steps.

        :param minutes: duration of the training, divided among the stages by their work; by
            default the stages have the steps of the preset.
        """
        self.stages, self.minutes = stages, minutes
        self.steps: list[int | None] = [
            stage.steps if minutes is None else None for stage in stages]

    def before(self, number: int) -> int:
        """Return the number of steps before a stage, known when it begins."""
        return sum(steps or 0 for steps in self.steps[:number])

    def done(self, number: int, step: int) -> float:
        """Return the completed share of a stage."""
        steps = self.steps[number]
        if steps is None:
            return min(step / self.stages[number].steps, WARM_UP)
        return step / steps

    def settle(self, number: int, step: int, pace: float, spent: float) -> int:
        """Set and return the number of steps of a stage.

        It gets a share of the remaining time in proportion to its work.

        :param step: the current step of the stage; ``pace``: seconds a step.
        :param spent: seconds of the training so far.
        """
        if self.minutes is None:
            raise ValueError('without a budget of minutes the numbers of steps are fixed')
        works = [stage.work for stage in self.stages[number:]]
        time = (60 * self.minutes - spent) * works[0] / sum(works)
        steps = step + max(round(time / pace), 1)
        self.steps[number] = steps
        return steps

    def left(self, number: int, step: int, pace: float, spent: float) -> float:
        """Return the remaining seconds; a step's time is taken as proportional to its batch."""
        if self.minutes is not None:
            return max(60 * self.minutes - spent, 0)
        now = self.stages[number]
        later = sum(stage.work for stage in self.stages[number + 1:]) / now.batch
        return pace * (now.steps - step + later)
