"""One node with many cameras; each test has a camera and listeners in separate processes."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest

from rgb2swir_ros.imaging.novelty import PooledGuidance
from rgb2swir_ros.lab.training.novelty import NoveltyFit, write_novelty
from rgb2swir_ros.ros.transport import PROFILE_VARIABLES, profile_path

from ..lab.evaluation.tiny import save_tiny

pytestmark = pytest.mark.ros

CAMERAS = ['plain', 'squeezed', 'either', 'reborn', 'broken', 'future', 'unheard', 'quiet',
           'tuned', 'dead', 'lossy', 'strict', 'late']


@dataclasses.dataclass
class Running:
    """The node with a listener to its diagnostics and timing."""

    rig: object
    node: object
    watcher: object

    def status(self, name: str) -> dict:
        """Return the latest status of that name, or an empty one."""
        heard = self.watcher.of('/diagnostics')
        return heard[-1]['status'].get(f'/translator: {name}', {}) if heard else {}

    def told_ns(self) -> int:
        """Return the time at which the node told the latest statuses, nanoseconds."""
        heard = self.watcher.of('/diagnostics')
        return heard[-1]['stamp'] if heard else 0

    def values(self, camera: str) -> dict:
        """Return the latest values of a camera."""
        return self.status(f'camera {camera}').get('values', {})

    def wait_values(self, camera: str, what: str, condition, timeout_s: float = 30.0) -> dict:
        """Wait until the camera's values satisfy a condition, and return them."""
        return self.watcher.wait(
            lambda: (v := self.values(camera)) and condition(v) and v, what, timeout_s)


@pytest.fixture(scope='module')
def model(tmp_path_factory) -> str:
    """A model that leaves the processor to ROS, and says how new a frame is to it."""
    folder = save_tiny(tmp_path_factory.mktemp('model') / 'tiny')
    weight = np.zeros(PooledGuidance(folder).length, np.float32)
    write_novelty(folder, NoveltyFit(weight, -1, 1, {}, 1, {}), folder, 'a test')
    return str(folder)


@pytest.fixture(scope='module')
def running(shared_rig, model) -> Running:
    node = shared_rig.node(model=model, cameras=CAMERAS, source_size='160x128', **{
        'qos_overrides./strict/image_raw.subscription.reliability': 'reliable'})
    watcher = shared_rig.listen('/diagnostics:diagnostics', '/translator/timing:diagnostics')
    one = Running(shared_rig, node, watcher)
    watcher.wait(lambda: one.status('engine').get('message', '').startswith('ready'),
                 'the engine to be ready', 90)
    return one


@pytest.fixture(autouse=True)
def tidy(running):
    """End the cameras and listeners of a test: each takes processor time and memory."""
    before = len(running.rig.processes)
    yield
    running.rig.end(first=before)


def count(values: dict, key: str) -> int:
    return int(values.get(key, 0))


def arrived(values: dict) -> int:
    """Return how many frames arrived, those of a topic that is only watched included."""
    return sum(count(values, key) for key in ('received', 'unused_raw', 'unused_compressed'))


def assert_adds_up(values: dict) -> None:
    """Every frame received has one outcome or is in hand."""
    outcomes = sum(int(value) for key, value in values.items()
                   if key.startswith(('dropped_', 'refused_')))
    assert int(values['received']) == int(values['translated']) + outcomes + int(
        values['in_hand']), values


def test_stamps_frames_intrinsics_and_counts(running):
    ears = running.rig.listen('/plain/swir/image_raw:image', '/plain/swir/camera_info:info',
                              '/plain/swir/image_raw/compressed:compressed')
    # 320x180 fits the box as 160x90, another engine than the one built: frames wait for it
    first = running.rig.camera('plain', '--count', 2000, '--size', '320x180', '--info')
    running.wait_values('plain', 'an engine of another size', lambda v: count(v, 'translated'))
    first.finish()
    second = running.rig.camera('plain', '--count', 15, '--size', '320x180', '--info')
    second.wait_said('done')
    sent, done_ns = set(first.sent()) | set(second.sent()), time.time_ns()
    # The last frames of a driver that ends may be lost without a gap: then silence is the end.
    # Between the two cameras there was silence, too, and what was told then must not count.
    values = running.wait_values('plain', 'all frames to be finished', lambda v: (
        (count(v, 'received') + count(v, 'lost_transport') >= len(sent)
         or running.told_ns() > done_ns + 5e9) and not count(v, 'in_hand')))
    assert count(values, 'dropped_engine_not_ready') > 0
    assert_adds_up(values)
    for end in ('image_raw', 'camera_info', 'image_raw/compressed'):  # published, not yet heard
        ears.wait(lambda topic=f'/plain/swir/{end}': len(ears.of(topic)) >= count(
            values, 'translated'), f'each {end}')
    images = ears.of('/plain/swir/image_raw')
    assert len(images) == count(values, 'translated') > 5
    assert {image['stamp'] for image in images} <= sent
    assert len({image['stamp'] for image in images}) == len(images)
    for image in images:
        assert image['frame'] == 'plain_optical'
        assert image['size'] == [90, 160]
        assert (image['encoding'], image['step'], image['bytes']) == ('mono8', 160, 160 * 90)
        assert image['high'] > image['low']
    infos = {info['stamp']: info for info in ears.of('/plain/swir/camera_info')}
    assert set(infos) == {image['stamp'] for image in images}
    for info in infos.values():
        assert info['frame'] == 'plain_optical'
        assert info['size'] == [90, 160]
        # half the size: f halves, and the centre of the picture stays its centre
        assert info['k'] == pytest.approx([160, 0, 79.5, 0, 160, 44.5, 0, 0, 1])
        assert info['p'][2] == pytest.approx(79.5)
        assert info['d'] == pytest.approx([0.1] * 5)
    small = ears.of('/plain/swir/image_raw/compressed')
    assert {one['stamp'] for one in small} == set(infos)
    assert {one['format'].split(';')[0] for one in small} == {'mono8'}
    assert small[0]['size'] == [90, 160]


def test_timing_is_published_per_frame(running):
    ears = running.rig.listen('/quiet/swir/image_raw:image')
    camera = running.rig.camera('quiet', '--count', 1000, '--rate', 10)
    running.wait_values('quiet', 'frames to be translated', lambda v: count(v, 'translated') >= 6)
    camera.finish()
    images = {image['stamp'] for image in ears.of('/quiet/swir/image_raw')}

    def timings() -> list[dict]:
        return [said for said in running.watcher.of('/translator/timing')
                if '/translator: timing quiet' in said['status']]
    running.watcher.wait(lambda: {said['stamp'] for said in timings()} >= images,
                         'a timing for each image')
    values = {key: float(value) for key, value in
              timings()[-1]['status']['/translator: timing quiet']['values'].items()}
    assert set(values) == {'decode_ms', 'preprocess_ms', 'transfer_ms', 'inference_ms',
                           'sensor_ms', 'publish_ms', 'total_ms', 'age_ms', 'input_novelty'}
    assert values['inference_ms'] > 0
    assert values['input_novelty'] == -1
    stages = sum(value for key, value in values.items()
                 if key not in {'total_ms', 'age_ms', 'input_novelty'})
    assert stages <= values['total_ms'] <= values['age_ms']


def test_compressed_input_is_found_by_itself(running):
    ears = running.rig.listen('/squeezed/swir/image_raw:image')
    camera = running.rig.camera('squeezed', '--count', 1000, '--compressed')
    running.wait_values('squeezed', 'compressed frames to be translated',
                        lambda v: count(v, 'translated') >= 10)
    camera.finish()
    values = running.values('squeezed')
    assert values['input'] == '/squeezed/image_raw/compressed'
    assert {image['stamp'] for image in ears.of('/squeezed/swir/image_raw')} <= set(camera.sent())
    assert_adds_up(values)


def test_a_killed_camera_comes_back_on_the_other_transport(running):
    ears = running.rig.listen('/reborn/swir/image_raw:image')
    first = running.rig.camera('reborn', '--count', 1000)
    running.wait_values('reborn', 'the first camera', lambda v: count(v, 'translated') >= 10)
    first.kill()
    status = running.watcher.wait(
        lambda: (s := running.status('camera reborn')) and s['level'] == 3 and s,
        'STALE after the camera died')
    assert 'no image for' in status['message']
    before = count(running.values('reborn'), 'translated')
    second = running.rig.camera('reborn', '--count', 1000, '--compressed')
    running.wait_values('reborn', 'the second camera, compressed',
                        lambda v: count(v, 'translated') >= before + 10)
    second.finish()
    third = running.rig.camera('reborn', '--count', 1000)
    before = count(running.values('reborn'), 'translated')
    running.wait_values('reborn', 'the third camera, raw again', lambda v: (
        count(v, 'translated') >= before + 10 and v['input'] == '/reborn/image_raw'))
    third.finish()
    ended_ns = time.time_ns()
    values = running.wait_values('reborn', 'what was told after its end', lambda v: (
        running.told_ns() > ended_ns + 1e9 and not count(v, 'in_hand')))
    # Each begins to count at 1: that is a new publisher, and no loss of what the one before had
    # sent. What is really lost on a busy machine was sent, and did not arrive. Of the killed one
    # the last frame may have been sent and not said.
    sent = sum(len(camera.sent()) for camera in (first, second, third)) + 1
    assert arrived(values) + count(values, 'lost_transport') <= sent, (values, sent)
    assert_adds_up(values)
    assert set(third.sent()) & {image['stamp'] for image in ears.of('/reborn/swir/image_raw')}


@pytest.mark.parametrize(('words', 'reason'), [
    (['--encoding', 'yuv1000'], 'unsupported_encoding'),
    (['--broken', 'wrong_length'], 'wrong_length'),
    (['--broken', 'zero_size'], 'zero_size'),
    (['--broken', 'bad_step'], 'bad_step'),
    (['--broken', 'corrupt_data', '--compressed'], 'corrupt_data'),
])
def test_bad_images_are_refused_by_reason_and_the_node_lives(running, words, reason):
    running.rig.listen('/broken/swir/image_raw:image')
    before = running.values('broken')
    bad = running.rig.camera('broken', '--count', 1000, *words)
    values = running.wait_values('broken', f'refused_{reason}',
                                 lambda v: count(v, f'refused_{reason}') >= 5)
    status = running.watcher.wait(  # while it sends: the message is that of the last second
        lambda: (s := running.status('camera broken')) and 'refused' in s['message'] and s,
        'a status that tells it')
    bad.finish()
    assert status['level'] >= 1
    assert values['last_refusal']
    assert count(values, 'translated') == count(before, 'translated')
    assert_adds_up(values)


def test_future_stamps_are_reported(running):
    running.rig.listen('/future/swir/image_raw:image')
    running.rig.camera('future', '--count', 1000, '--offset-ms', 60000)
    running.wait_values('future', 'future stamps', lambda v: count(v, 'future_stamps') >= 5)
    status = running.watcher.wait(
        lambda: (s := running.status('camera future')) and s['level'] == 1 and s, 'a warning')
    assert 'future' in status['message']


def test_nobody_listens_and_nothing_is_received(running):
    camera = running.rig.camera('unheard', '--count', 40, '--no-wait')
    camera.wait_said('done')
    status = running.status('camera unheard')
    assert status['level'] == 0
    assert status['message'] == 'idle: no subscribers'
    assert status['values']['received'] == '0'


def test_a_listener_may_come_and_go(running):
    camera = running.rig.camera('either', '--count', 2000)
    received = 0
    for _ in range(2):
        ears = running.rig.listen('/either/swir/camera_info:info', '/either/swir/image_raw:image')
        ears.wait(lambda ears=ears: ears.of('/either/swir/image_raw'), 'an image')
        ears.finish()
        idle = running.watcher.wait(
            lambda least=received: (s := running.status('camera either'))['message'] ==
            'idle: no subscribers' and count(s['values'], 'received') > least and s['values'],
            'idle after the listener has gone', 40)
        received = count(idle, 'received')
        stopped = len(camera.sent())
        camera.wait(lambda s=stopped: len(camera.sent()) > s + 30, 'the camera to go on')
        assert count(running.values('either'), 'received') == received
    values = running.values('either')
    assert_adds_up(values)
    # this camera sends no CameraInfo: there is none to send on
    assert count(values, 'camera_info_missing') == count(values, 'translated') > 0
    camera.finish()


def test_a_dead_camera_is_said_to_be_stale_and_stalls_no_other(running):
    running.rig.listen('/dead/swir/image_raw:image')
    status = running.watcher.wait(
        lambda: (s := running.status('camera dead')) and s['level'] == 3 and s, 'STALE')
    assert 'no publisher of /dead/image_raw or /dead/image_raw/compressed' in status['message']
    assert running.status('engine')['level'] == 0


def test_frames_that_the_middleware_loses_are_counted_and_said(running, monkeypatch):
    running.rig.listen('/lossy/swir/image_raw:image')
    for variable in PROFILE_VARIABLES:  # the camera's driver without the profile
        monkeypatch.delitem(running.rig.environment, variable)
    camera = running.rig.camera('lossy', '--count', 1000, '--size', '1280x720', '--rate', 30)
    running.wait_values('lossy', 'lost frames', lambda v: count(v, 'lost_transport'))
    running.watcher.wait(lambda: 'lost by the middleware' in running.status(
        'camera lossy')['message'], 'a warning')
    camera.finish()
    values = running.wait_values('lossy', 'the last frame', lambda v: not count(v, 'in_hand'))
    # frames lost before the first one that arrives and after the last leave no gap
    assert 0 < count(values, 'received') + count(values, 'lost_transport') <= len(camera.sent())
    assert_adds_up(values)
    advice = f'export FASTRTPS_DEFAULT_PROFILES_FILE={profile_path()}'
    assert advice in values['lost_advice']
    said = [line for line in running.node.lines if 'lossy: the middleware loses' in line]
    assert len(said) == 1
    assert advice in said[0]


def test_an_incompatible_publisher_is_said(running):
    running.rig.listen('/strict/swir/image_raw:image')
    running.rig.camera('strict', '--count', 5, '--no-wait')
    values = running.wait_values('strict', 'the event', lambda v: count(v, 'incompatible_qos'))
    assert count(values, 'received') == 0
    status = running.watcher.wait(
        lambda: (s := running.status('camera strict')) and s['level'] == 3 and s, 'STALE')
    assert 'incompatible QoS' in status['message']
    assert any('RELIABILITY' in line and 'strict/image_raw' in line
               for line in running.node.lines)


def test_parameters_change_while_running_or_are_refused(running):
    ears = running.rig.listen('/tuned/swir/image_raw:image')
    running.rig.camera('tuned', '--count', 4000)
    ears.wait(lambda: ears.of('/tuned/swir/image_raw'), 'an image')

    refused = running.rig.set(gamma=99.0, encoding='mono12', bits=9, size='320x256',
                              cameras=['other'], geometry='squash', output_size='big')
    assert [result[0] for result in refused] == [False] * 7
    texts = [result[1] for result in refused]
    assert 'Max: 10.0' in texts[0]
    assert "'mono12'" in texts[1]
    assert 'mono8, mono16' in texts[1]
    assert 'unconfigured' in texts[3]
    assert 'read-only' in texts[4]
    assert "'squash'" in texts[5]
    assert "'big' is no size" in texts[6]

    # the last test of this file, since these settings are those of all cameras
    assert running.rig.set(encoding='mono16', bits=12, gain=0.01) == [[True, '']] * 3
    image = ears.wait(lambda: (heard := ears.of('/tuned/swir/image_raw')) and
                      heard[-1]['encoding'] == 'mono16' and heard[-1], 'a mono16 image')
    assert image['bytes'] == 2 * 160 * 128
    # a hundredth of 12 bits, once both settings have followed
    ears.wait(lambda: ears.of('/tuned/swir/image_raw')[-1]['high'] <= 41, '12 bits, and dark')

    assert running.rig.set(max_age_ms=2000.0) == [[True, '']]
    running.rig.listen('/late/swir/image_raw:image')
    running.rig.camera('late', '--count', 1000, '--offset-ms', -60000)
    values = running.wait_values('late', 'old frames', lambda v: count(v, 'dropped_late') >= 5)
    assert count(values, 'translated') == 0
    assert_adds_up(values)
