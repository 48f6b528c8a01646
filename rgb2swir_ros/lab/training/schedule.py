"""How many steps each stage has, by its preset or by a budget of minutes, and what is left."""

from __future__ import annotations

from collections.abc import Sequence

from rgb2swir_ros.lab.training.preset import Stage

TIMED_STEPS = (5, 25)  # of a stage, by which a budget in minutes becomes a number of steps
WARM_UP = .02  # of a stage: its share of progress at most, before its number of steps is known


class Schedule:
    """The stages' numbers of steps."""

    def __init__(self, stages: Sequence[Stage], minutes: float | None = None) -> None:
        """Begin.

        :param minutes: that the training shall take; the stages keep their shares of the work.
            By default all have the steps of the preset.
        """
        self.stages, self.minutes = stages, minutes
        self.steps: list[int | None] = [
            stage.steps if minutes is None else None for stage in stages]

    def before(self, number: int) -> int:
        """Return the steps of all stages before one, which are known when it begins."""
        return sum(steps or 0 for steps in self.steps[:number])

    def done(self, number: int, step: int) -> float:
        """Return the share of a stage that is done."""
        steps = self.steps[number]
        if steps is None:
            return min(step / self.stages[number].steps, WARM_UP)
        return step / steps

    def settle(self, number: int, step: int, pace: float, spent: float) -> int:
        """Give a stage its number of steps.

        It gets its share of the time that is left, by the steps and batches of the preset.

        :param step: that it stands at; ``pace``: seconds a step of it takes.
        :param spent: seconds of the training so far.
        """
        if self.minutes is None:
            raise ValueError('without a budget of minutes all is settled')
        works = [stage.work for stage in self.stages[number:]]
        time = (60 * self.minutes - spent) * works[0] / sum(works)
        steps = step + max(round(time / pace), 1)
        self.steps[number] = steps
        return steps

    def left(self, number: int, step: int, pace: float, spent: float) -> float:
        """Return the seconds that the whole rest takes: a later step as its batch is larger."""
        if self.minutes is not None:
            return max(60 * self.minutes - spent, 0)
        now = self.stages[number]
        later = sum(stage.work for stage in self.stages[number + 1:]) / now.batch
        return pace * (now.steps - step + later)
