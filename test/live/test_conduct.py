"""What a live replay holds while it runs, it gives back."""

from __future__ import annotations

import pytest

from rgb2swir_ros.demo.children import ChildError
from rgb2swir_ros.live.conduct import LiveConductor, LiveOptions
from rgb2swir_ros.ros import domain


def test_the_ros_domain_is_given_back_when_a_process_fails(tmp_path, monkeypatch):
    held = set(domain._claimed)
    conductor = LiveConductor(LiveOptions(tmp_path / 'bag', ['camera'], {}, []),
                              tmp_path / 'swir', tmp_path, tmp_path, lambda _: None)
    assert len(set(domain._claimed) - held) == 1

    def fail(*_: object) -> None:
        raise ChildError('the recorder ended')
    monkeypatch.setattr(conductor, '_start_recorder', fail)
    with pytest.raises(ChildError):
        conductor.run()
    assert set(domain._claimed) == held
