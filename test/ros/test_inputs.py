"""The selection of the input topic, and the image size in a CameraInfo."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rgb2swir_ros.ros.inputs import TransportSelector, info_size


class Driver:
    """A camera driver and the node's subscriptions: only subscribed topics are received."""

    def __init__(self, current: str = 'raw') -> None:
        self.choice = TransportSelector(current)
        self.now_ns = 10**12
        self.raw = self.compressed = 1  # publishers
        self.read: list[str] = []  # what was read, frame by frame
        self.heard: set[str] = set()
        self.choice.begin(self.now_ns)
        self.choose()

    def choose(self) -> None:
        self.heard = self.choice.choose(self.now_ns, raw=self.raw, compressed=self.compressed)
        assert self.choice.current in self.heard

    def run(self, seconds: float, *kinds: str, rate: float = 20.0, lossy_raw: int = 1) -> Driver:
        """Send frames on some topics; the node chooses once a second, and when raw delivers."""
        steps = round(seconds * rate)
        for step in range(1, steps + 1):
            self.now_ns += round(1e9 / rate)
            for kind in kinds:
                if kind == 'raw' and step % lossy_raw:
                    continue
                if kind in self.heard:
                    self.choice.arrived(kind, self.now_ns)
                    self.read += [kind] * (kind == self.choice.current)
                    if kind == 'raw' and 'compressed' in self.heard:
                        self.choose()
            if step % max(round(rate), 1) == 0 or rate < 1:
                self.choose()
        return self


BOTH = ('raw', 'compressed')


def test_raw_is_read_where_a_driver_offers_both_and_jpeg_is_not_subscribed_to():
    driver = Driver().run(10, *BOTH)
    assert set(driver.read) == {'raw'}
    assert driver.heard == {'raw'}


@pytest.mark.parametrize('pause_s', [1, 2.5, 5, 60])
@pytest.mark.parametrize('order', [BOTH, BOTH[::-1]])
@pytest.mark.parametrize('rate', [30.0, 10.0, 1.0, 0.2])
def test_a_pause_of_everything_switches_nothing(pause_s, order, rate):
    driver = Driver().run(30, *order, rate=rate).run(pause_s).run(30, *order, rate=rate)
    assert set(driver.read) == {'raw'}
    assert driver.choice.current == 'raw'


def test_a_pause_closes_what_it_opened():
    driver = Driver().run(3, *BOTH).run(5)
    assert driver.heard == {'raw', 'compressed'}
    assert driver.run(2, *BOTH).heard == {'raw'}


def test_raw_that_is_offered_but_silent_gives_way_and_comes_back():
    """A killed driver stays in the graph for 20 s; its successor sends JPEG alone, then raw."""
    driver = Driver().run(3, *BOTH).run(6, 'compressed')
    assert driver.choice.current == 'compressed'
    assert driver.heard == {'raw', 'compressed'}
    before = len(driver.read)
    driver.run(3, *BOTH)
    assert driver.choice.current == 'raw'
    assert driver.heard == {'raw'}
    assert driver.read[before:].count('compressed') <= 5


def test_compressed_alone_is_read_at_once_and_raw_as_soon_as_it_delivers():
    driver = Driver()
    driver.raw = 0
    assert driver.run(1, 'compressed').choice.current == 'compressed'
    assert driver.heard == {'compressed'}
    driver.raw = 1  # discovered a moment later, or started later
    driver.run(3, *BOTH)
    assert driver.choice.current == 'raw'


def test_discovery_of_the_compressed_topic_first_is_no_choice_for_good():
    driver = Driver()
    driver.raw = 0
    driver.choose()
    driver.raw = 1
    driver.choose()
    assert driver.choice.current == 'compressed'
    assert driver.run(2, *BOTH).choice.current == 'raw'


def test_raw_that_loses_nearly_all_is_not_returned_to():
    driver = Driver().run(3, *BOTH).run(6, 'compressed').run(20, *BOTH, lossy_raw=10)
    assert driver.choice.current == 'compressed'
    assert 'raw' not in driver.read[60:]


def test_a_topic_that_has_no_publisher_any_more_is_left_at_once():
    driver = Driver().run(2, 'raw')
    driver.raw = 0
    driver.choose()
    assert driver.choice.current == 'compressed'
    driver.raw, driver.compressed = 1, 0
    driver.choose()
    assert driver.choice.current == 'raw'
    driver.raw = 0
    driver.choose()
    assert driver.choice.current == 'raw'  # nobody is there: wait where one is preferred


def info(height=1080, width=1920, binning=0, roi=(0, 0)):
    return SimpleNamespace(height=height, width=width, binning_x=binning, binning_y=binning,
                           roi=SimpleNamespace(height=roi[0], width=roi[1]))


def test_size_of_a_camera_info_is_that_of_its_images():
    assert info_size(info()) == (1080, 1920)
    assert info_size(info(binning=2)) == (540, 960)
    assert info_size(info(roi=(400, 600))) == (400, 600)
    assert info_size(info(binning=2, roi=(400, 600))) == (200, 300)
    assert info_size(info(0, 0)) == (0, 0)
