"""Clips from disk: the scenes' own format, footage, and what is said where data is missing."""

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.sequences import footage_clips, rendered_clips

from .clips import BRIGHTER, SIZE, STEP, texture, window, write_sequences


@pytest.fixture
def moving(tmp_path):
    return write_sequences(tmp_path / 'moving', count=2, length=3)


def test_rendered_moments_are_what_the_scenes_wrote(moving):
    clip = rendered_clips(moving)[1]
    assert (clip.name, clip.kind, clip.count) == ('clear_1', 'moving', 3)
    clip_frames = list(clip.clip_frames())
    for k, frame in enumerate(clip_frames):
        expected = np.sqrt(window(texture(1), k, still=False) * BRIGHTER ** k)
        np.testing.assert_allclose(frame.true, expected, atol=1e-4)
        assert frame.rgb.shape == (*SIZE, 3)
    assert clip_frames[-1].flow is None
    assert clip_frames[-1].seen is None
    np.testing.assert_array_equal(clip_frames[0].flow[5, 5], STEP)
    assert clip_frames[0].seen[10, 10]
    assert not clip_frames[0].seen[0, 10]  # moves out at the top
    assert not clip_frames[0].seen[10, -1]


def test_still_moments_have_no_flow(tmp_path):
    clip, = rendered_clips(write_sequences(tmp_path, count=1, still=True))
    clip_frames = list(clip.clip_frames())
    assert clip.kind == 'still'
    assert all(m.flow is None for m in clip_frames)
    assert clip_frames[0].seen.all()
    assert clip_frames[-1].seen is None
    assert (clip_frames[0].rgb != clip_frames[1].rgb).any()  # noise


@pytest.mark.parametrize(('name', 'text'), [
    ('swir/000001.png', 'missing or no 16-bit'), ('flow/000000.npz', 'cannot read the flow'),
    ('rgb/000002.png', 'cannot be read')])
def test_missing_files_are_named(moving, name, text):
    (moving / 'sequences' / 'clear_0' / name).unlink()
    with pytest.raises(UserError, match=text) as caught:
        list(rendered_clips(moving)[0].clip_frames())
    assert name in str(caught.value)


@pytest.mark.parametrize('content', [b'', b'PK\x03\x04 no zip', b'\x93NUMPY'])
def test_damaged_flow_is_named(moving, content):
    (moving / 'sequences' / 'clear_0' / 'flow' / '000000.npz').write_bytes(content)
    with pytest.raises(UserError, match='cannot read the flow'):
        list(rendered_clips(moving)[0].clip_frames())


def test_frames_of_another_size_are_named(moving):
    path = moving / 'sequences' / 'clear_0' / 'swir' / '000000.png'
    cv2.imwrite(str(path), np.zeros((8, 8), np.uint16))
    with pytest.raises(UserError, match=r'swir/000000.png has the size \(8, 8\)'):
        list(rendered_clips(moving)[0].clip_frames())


def test_data_without_sequences_says_what_makes_them(tmp_path):
    with pytest.raises(UserError, match=r'rgb2swir scenes .*--sequences 8'):
        rendered_clips(tmp_path)
    (tmp_path / 'sequences').mkdir()
    for content in ('no json', '[{"seed": 1}]', '3'):
        (tmp_path / 'sequences' / 'index.json').write_text(content)
        with pytest.raises(UserError, match=r'index\.json is no .*rgb2swir scenes'):
            rendered_clips(tmp_path)


def write_video(path, frames):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 15, (128, 96))
    for frame in frames:
        writer.write(frame)
    writer.release()


def pan(count):
    picture = cv2.merge([(texture(4) * 255).astype(np.uint8)] * 3)
    return [picture[40:136, 60 - 3 * k:188 - 3 * k] for k in range(count)]


def test_footage_is_scaled_and_its_flow_estimated(tmp_path):
    write_video(tmp_path / 'b.avi', pan(5))
    clip, = footage_clips(tmp_path / 'b.avi', (48, 64), max_frames=4)
    assert (clip.name, clip.kind, clip.count) == ('b.avi', 'footage', 4)
    clip_frames = list(clip.clip_frames())
    assert len(clip_frames) == 4
    assert clip_frames[0].rgb.shape == (48, 64, 3)
    assert clip_frames[0].true is None
    assert np.median(clip_frames[0].flow[8:-8, 8:-8, 0]) == pytest.approx(1.5, abs=.2)
    assert clip_frames[-1].flow is None


def test_a_folder_gives_all_its_videos_in_order(tmp_path):
    (tmp_path / 'deep').mkdir()
    for name in ('v10.avi', 'v9.avi', 'deep/a.avi'):
        write_video(tmp_path / name, pan(2))
    (tmp_path / 'notes.txt').write_text('x')
    names = [c.name for c in footage_clips(tmp_path, (96, 128), max_frames=9)]
    assert names == ['a.avi', 'v9.avi', 'v10.avi']
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='holds no video'):
        footage_clips(tmp_path / 'empty', (96, 128), 9)
    with pytest.raises(UserError, match='no file or folder'):
        footage_clips(tmp_path / 'gone.mp4', (96, 128), 9)
