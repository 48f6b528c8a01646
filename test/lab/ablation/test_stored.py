"""What is made once for all rows comes back as it was."""

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.ablation import stored
from rgb2swir_ros.lab.ablation.stored import MaterialFrames, pack, read_arrays, unpack
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.materials import SceneJob, measure
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.frames import RenderedFrame
from rgb2swir_ros.lab.scenes.material_map import MaterialMap


def detections(count):
    rng = np.random.default_rng(count)
    return Detections(rng.random((count, 4)).astype(np.float32),
                      rng.random(count).astype(np.float32), rng.integers(0, 6, count))


def test_detections_come_back(tmp_path):
    found = [detections(count) for count in (3, 0, 5, 0)]
    stored.write_arrays(tmp_path / 'a.npz', pack(found))
    again = unpack(read_arrays(tmp_path / 'a.npz'))
    assert len(again) == 4
    for one, other in zip(found, again, strict=True):
        for name in ('boxes', 'scores', 'labels'):
            assert np.array_equal(getattr(one, name), getattr(other, name))
            assert getattr(one, name).dtype == getattr(other, name).dtype


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / 'a.npz').write_bytes(b'PK\3\4')
    with pytest.raises(UserError, match=r'cannot read .*a\.npz'):
        read_arrays(tmp_path / 'a.npz')


def test_frames_with_materials_are_rendered_once_and_measured_as_before(tmp_path, monkeypatch):
    index = np.zeros((32, 32), np.int16)
    index[16:] = 1
    frames = [RenderedFrame(np.full((32, 32, 3), 50 + k, np.uint8),
                            np.where(index == 0, .1, .5).astype(np.float32), (), 'town', 'clear',
                            MaterialMap(('asphalt', 'leaves'), index)) for k in range(2)]
    asked = []

    def rendered(todo, workers, lost):
        asked.extend(job.seed for job in todo)
        for job in todo:
            if job.seed == 8:
                lost.append('scene 8: no light')
            else:
                yield str(job.seed), frames

    monkeypatch.setattr(stored, 'rendered', rendered)
    store = MaterialFrames(tmp_path, [SceneJob(seed, (32, 32), 2) for seed in (7, 8, 9)])
    lost = []
    store.render(1, lost)
    store.render(1, lost)
    assert asked == [7, 8, 9, 8]  # what failed is tried again, nothing else
    assert lost == ['scene 8: no light'] * 2
    model = Candidate('m', 0, lambda rgb: np.full(rgb.shape[:2], .3, np.float32))
    direct = measure([('7', frames), ('9', frames)], [model], 4)
    again = measure(store.scenes(), [model], store.count)
    assert [(p.scene, p.frame, p.material) for p in again] == [
        (p.scene, p.frame, p.material) for p in direct]
    assert [p.true for p in again] == pytest.approx([p.true for p in direct], abs=1e-4)
