"""Of a video comes what decodes: upright, with square pixels, of one size, at rising times."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rgb2swir_ros.imaging.resize import letterbox
from rgb2swir_ros.replay.frames import FootageError, decode
from rgb2swir_ros.replay.video import VideoSource
from rgb2swir_ros.replay.video_writer import VideoWriter

from .footage import picture, turn_video, write_video

SIZE = (48, 64)


def encode(path: Path, frames: list[np.ndarray], codec: str = 'libx264', pixels: str = 'yuv420p',
           aspect: Fraction | None = None, options: dict[str, str] | None = None,
           container: str | None = None) -> Path:
    """Write RGB frames at 10 Hz."""
    with av.open(str(path), 'w', format=container) as output:
        stream = output.add_stream(codec, rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.options = pixels, options or {}
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format='rgb24')
            frame.pts, frame.time_base = index, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def pictures(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    return [picture(n, size) for n in range(count)]


def read(path: Path) -> tuple[list[np.ndarray], list[int], str]:
    """Return the frames, their stamps, and what is told of the damage."""
    frames, stamps = [], []
    try:
        for frame in VideoSource(path).frames():
            frames.append(decode(frame))
            stamps.append(frame.stamp_ns)
    except FootageError as error:
        return frames, stamps, str(error)
    return frames, stamps, ''


def near(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and np.abs(one.astype(int) - other).mean() < 6


def spoil(path: Path, tag: bytes, which: list[int]) -> None:
    """Fill some chunks of an AVI with zeros."""
    data = bytearray(path.read_bytes())
    at, number = data.index(b'movi'), 0
    while (at := data.find(tag, at + 4)) >= 0 and number <= max(which):
        size = int.from_bytes(data[at + 4:at + 8], 'little')
        if number in which:
            data[at + 8:at + 8 + size] = bytes(size)
        number += 1
        at += size
    path.write_bytes(data)


@pytest.mark.parametrize('which', [[1], [0], [7], [0, 3, 4, 7], list(range(7))])
def test_frames_around_damaged_ones_are_kept(tmp_path: Path, which: list[int]) -> None:
    path = encode(tmp_path / 'a.avi', pictures(8), 'mjpeg', 'yuvj420p')
    spoil(path, b'00dc', which)
    frames, stamps, told = read(path)
    kept = [n for n in range(8) if n not in which]
    assert len(frames) == len(kept)
    assert all(near(frame, picture(n)) for frame, n in zip(frames, kept, strict=True))
    assert stamps == [(n - kept[0]) * 10**8 for n in kept]
    assert f'{len(which)} of its frames cannot be decoded' in told


def test_a_video_of_which_nothing_decodes_is_named(tmp_path: Path) -> None:
    path = encode(tmp_path / 'a.avi', pictures(4), 'mjpeg', 'yuvj420p')
    spoil(path, b'00dc', [0, 1, 2, 3])
    frames, _, told = read(path)
    assert frames == []
    assert 'holds no frame at all; 4 of its frames cannot be decoded' in told


def test_frames_of_damaged_h264_are_kept(tmp_path: Path) -> None:
    path = encode(tmp_path / 'a.avi', pictures(30), options={'g': '5', 'bf': '0'})
    spoil(path, b'00dc', [7])
    frames, _, told = read(path)
    assert len(frames) >= 28
    assert told
    assert all(near(frames[-n], picture(30 - n)) for n in range(1, 11))


@pytest.mark.parametrize('sizes', [[(48, 64), (48, 48)], [(48, 48), (48, 64), (96, 128)],
                                   [(32, 32), (64, 64), (128, 160), (240, 320)]])
def test_later_sizes_are_fitted_into_the_first(tmp_path: Path,
                                               sizes: list[tuple[int, int]]) -> None:
    joined = b''
    for number, size in enumerate(sizes):
        part = encode(tmp_path / f'{number}.ts', pictures(4, size), container='mpegts',
                      options={'crf': '10', 'bf': '0'})
        joined += part.read_bytes()
    (tmp_path / 'all.ts').write_bytes(joined)
    source = VideoSource(tmp_path / 'all.ts')
    frames = list(source.frames())
    assert len(frames) == 4 * len(sizes)
    assert {decode(frame).shape[:2] for frame in frames} == {sizes[0]}
    last = decode(frames[-1])
    assert near(last, letterbox(picture(3, sizes[-1]), sizes[0]))
    assert source.notes == [
        f'4 frames of {width}x{height} were fitted into {sizes[0][1]}x{sizes[0][0]}'
        for height, width in sizes[1:]]
    # each part starts at the time of the first: it follows the part before
    steps = np.diff([frame.stamp_ns for frame in frames])
    assert steps.min() > 0.9e8
    assert steps.max() < 1.1e8


def test_letterbox_centres_and_keeps_the_ratio() -> None:
    white = np.full((10, 20, 3), 255, np.uint8)
    boxed = letterbox(white, (20, 20))
    assert boxed.shape == (20, 20, 3)
    assert (boxed[5:15] == 255).all()
    assert not boxed[:5].any()
    assert not boxed[15:].any()
    assert letterbox(white[..., 0], (1, 90)).shape == (1, 90)
    assert letterbox(np.ones((1000, 1), np.uint8), (10, 10)).sum() == 10


@pytest.mark.parametrize(('aspect', 'size'), [
    (Fraction(2), (48, 128)), (Fraction(1, 2), (96, 64)), (Fraction(16, 15), (48, 68)),
    (Fraction(8, 9), (54, 64)), (None, (48, 64)), (Fraction(1), (48, 64)),
    (Fraction(200), (48, 64))])
def test_pixels_become_square(tmp_path: Path, aspect: Fraction | None,
                              size: tuple[int, int]) -> None:
    frames, _, told = read(encode(tmp_path / 'a.mp4', pictures(3), aspect=aspect))
    assert told == ''
    assert {frame.shape[:2] for frame in frames} == {size}
    assert near(frames[0], picture(0, size))


def test_pixels_become_square_before_the_picture_is_turned(tmp_path: Path) -> None:
    path = turn_video(encode(tmp_path / 'a.mp4', pictures(3), aspect=Fraction(2)))
    frames, _, _ = read(path)
    assert near(frames[0], np.rot90(picture(0, (48, 128)), -1))


@pytest.mark.parametrize(('codec', 'pixels', 'name'), [
    ('libx264', 'yuv420p10le', 'a.mp4'), ('libx264', 'yuv444p', 'a.mkv'),
    ('libx264', 'gray', 'a.mp4'), ('ffv1', 'bgra', 'a.mkv'), ('ffv1', 'gray16le', 'a.mkv'),
    ('png', 'rgba', 'a.mov'), ('libvpx-vp9', 'yuva420p', 'a.webm'), ('mpeg4', 'yuv420p', 'a.avi'),
    ('mjpeg', 'yuvj422p', 'a.mjpeg'), ('libx264', 'yuv420p', 'a.h264')])
def test_pixel_formats(tmp_path: Path, codec: str, pixels: str, name: str) -> None:
    frames, stamps, told = read(encode(tmp_path / name, pictures(4), codec, pixels))
    assert (len(frames), told) == (4, '')
    assert stamps == sorted(set(stamps))
    expected = picture(2)
    if 'gray' in pixels:
        assert np.abs(frames[2][..., 0].astype(int) - expected @ [.299, .587, .114]).mean() < 6
    else:
        assert np.abs(frames[2].astype(int) - expected).mean() < 8


@pytest.mark.parametrize('size', [(47, 63), (16, 18), (33, 64)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    frames, _, told = read(encode(tmp_path / 'a.mkv', pictures(3, size), 'ffv1', 'yuv444p'))
    assert (len(frames), told) == (3, '')
    assert near(frames[1], picture(1, size))


def test_b_frames_come_in_order_of_time(tmp_path: Path) -> None:
    path = encode(tmp_path / 'a.mp4', pictures(20), options={'bf': '3', 'crf': '10'})
    frames, stamps, told = read(path)
    assert told == ''
    assert stamps == [n * 10**8 for n in range(20)]
    assert all(near(frame, picture(n)) for n, frame in enumerate(frames))


@pytest.mark.parametrize('name', ['a.mkv', 'a.mp4', 'a.ts', 'a.avi'])
def test_cut_videos_keep_their_beginning(tmp_path: Path, name: str) -> None:
    noise = [np.random.default_rng(n).integers(0, 256, (*SIZE, 3), np.uint8) for n in range(30)]
    path = encode(tmp_path / name, noise, options={'movflags': 'faststart'} if 'mp4' in name
                  else {}, container=None)
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])
    if name == 'a.mp4':  # its index stands at the end, for this writer
        with pytest.raises(FootageError, match='no readable video'):
            VideoSource(path)
        return
    frames, _, _ = read(path)
    assert 5 < len(frames) < 30


def sound(path: Path) -> None:
    with av.open(str(path), 'w') as output:
        stream = output.add_stream('aac', rate=44100, layout='mono')
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), 'fltp', 'mono')
        silence.rate = 44100
        output.mux(stream.encode(silence))
        output.mux(stream.encode())


def no_frames(path: Path) -> None:
    with av.open(str(path), 'w', format='mp4') as output:
        stream = output.add_stream('libx264', rate=10)
        stream.height, stream.width, stream.pix_fmt = *SIZE, 'yuv420p'
        output.start_encoding()


@pytest.mark.parametrize(('make', 'text'), [
    (sound, 'has no video stream'),
    (no_frames, 'no frame at all|no readable video|no video stream'),
    (lambda path: path.write_bytes(b''), 'no readable video'),
    (lambda path: path.write_bytes(b'x' * 4000), 'no readable video')])
def test_what_has_no_frames_is_named(tmp_path: Path, make: Callable[[Path], object],
                                     text: str) -> None:
    make(tmp_path / 'a.mp4')
    with pytest.raises(FootageError, match=text):
        list(VideoSource(tmp_path / 'a.mp4').frames())


@pytest.mark.parametrize('name', ['12:30.mp4', 'run #3.mp4', 'what?.mp4', 'a%20b%03d.mp4',
                                  'http:x.mp4', "it's.mp4", 'ä.mp4', os.fsdecode(b'caf\xe9.mp4')])
def test_names_need_no_care(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(Path('plain.mp4'), 3).rename(name)
    assert len(read(Path(name))[0]) == 3
    with VideoWriter(Path(f'out {name}')) as writer:
        writer.write(picture(0))
    assert len(read(Path(f'out {name}'))[0]) == 1


def test_further_streams_are_named(tmp_path: Path) -> None:
    """As the files of cameras with two lenses have them."""
    path = tmp_path / 'two.mkv'
    front, rear = pictures(3), pictures(6)[3:]
    with av.open(str(path), 'w') as container:
        streams = [container.add_stream('libx264', rate=10) for _ in range(2)]
        for stream in streams:
            stream.height, stream.width = SIZE
            stream.pix_fmt = 'yuv420p'
        for both in [*zip(front, rear, strict=True), None]:
            for at, stream in enumerate(streams):
                frame = None if both is None else av.VideoFrame.from_ndarray(both[at], 'rgb24')
                container.mux(stream.encode(frame))
    source = VideoSource(path)
    assert len(list(source.frames())) == 3
    assert source.notes == ['only the first of its 2 video streams was read']
    assert near(decode(next(source.frames())), front[0])
    alone = VideoSource(encode(tmp_path / 'one.mkv', front))
    assert len(list(alone.frames())) == 3
    assert alone.notes == []
