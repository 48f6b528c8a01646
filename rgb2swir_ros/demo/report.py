"""The demo's table, its latency plot and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.demo.accounting import Account
from rgb2swir_ros.demo.latency import QUANTILES, TOTAL, WHOLE
from rgb2swir_ros.files import finished
from rgb2swir_ros.ros.timing import STAGES

NAMES = {TOTAL: 'in the node, total', WHOLE: 'camera to recorder'}


def table(account: Account, latency: Mapping[str, Mapping[str, float]], title: str) -> str:
    """Return the table that the demo prints."""
    lines = [title, '', f'{"frames":<42}{"count":>8}']
    lines += [f'  {name:<40}{count:>8}' for name, count in account.rows()]
    lines += ['', f'{"latency, ms":<24}' + ''.join(f'{label:>9}' for label in QUANTILES)]
    for key in (*STAGES, TOTAL, WHOLE):
        if key in latency:
            name = NAMES.get(key, key.removesuffix('_ms'))
            lines.append(f'  {name:<22}' + ''.join(f'{latency[key][label]:>9.1f}'
                                                   for label in QUANTILES))
    problems = account.problems()
    lines += ['', *[f'DOES NOT ADD UP: {problem}' for problem in problems]]
    if not problems:
        fates = [account.translated, sum(account.dropped.values()),
                 sum(account.refused.values()), account.lost]
        lines.append(f'accounted for: {account.sent} sent = {fates[0]} translated + {fates[1]} '
                     f'dropped + {fates[2]} refused + {fates[3]} lost')
    return '\n'.join(lines) + '\n'


def plot(target: Path, timing: Mapping[str, Sequence[float]],
         whole: Sequence[tuple[int, float]]) -> bool:
    """Plot the latencies of each frame; return whether matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use('Agg')
    from matplotlib import pyplot
    figure, (top, bottom) = pyplot.subplots(2, 1, figsize=(9, 6.5), layout='constrained')
    stages = [stage for stage in STAGES if timing.get(stage)]
    if stages:
        count = min(len(timing[stage]) for stage in stages)
        top.stackplot(np.arange(count), [timing[stage][:count] for stage in stages],
                      labels=[stage.removesuffix('_ms') for stage in stages])
        top.legend(loc='upper right', ncols=3, fontsize=8)
    top.set(title='In the node, by stage', xlabel='translated frame', ylabel='ms')
    bottom.plot([index for index, _ in whole], [ms for _, ms in whole], '.-', markersize=4,
                linewidth=.6, color='tab:red')
    bottom.set(title='From the camera to the recorder', xlabel='frame sent', ylabel='ms')
    for axes in (top, bottom):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=.3)
    with finished(target) as temporary:
        figure.savefig(temporary, dpi=110)
    pyplot.close(figure)
    return True


def as_json(account: Account, latency: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the content of report.json."""
    return {
        **more,
        'frames': {
            'sent': account.sent, 'received': account.received,
            'translated': account.translated, 'dropped': account.dropped,
            'refused': account.refused, 'lost_transport': account.lost,
            'lost_noticed_by_node': account.lost_noticed, 'recorded': account.recorded,
            'lost_to_recorder': account.lost_to_recorder},
        'accounted_for': not account.problems(), 'problems': account.problems(),
        'latency_ms': latency,
    }
