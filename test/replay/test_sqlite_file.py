"""SQLite bags are read as they lie, and nothing is written beside them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.storage.recording import Recording

from .footage import START, image, picture, write_bag
from .recordings import SMALL, TIMES, messages, stamps


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}


@pytest.mark.parametrize('mode', ['wal', 'delete'])
def test_killed_sqlite_writer(tmp_path: Path, mode: str) -> None:
    bag = write_bag(tmp_path / 'bag', messages()[:4], 'sqlite3')
    file = bag / 'bag.db3'
    program = f'''
import os, sqlite3, sys
database = sqlite3.connect({str(file)!r}, isolation_level=None)
database.execute('PRAGMA journal_mode = {mode}')
database.execute('PRAGMA cache_size = 1')
database.execute('BEGIN')
for row in database.execute('SELECT topic_id, data FROM messages').fetchall()[:2]:
    database.execute('INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)',
                     (row[0], {TIMES[5]}, row[1] + bytes(200_000)))
if {mode!r} == 'wal':
    database.execute('COMMIT')
os._exit(9)
'''
    assert subprocess.run([sys.executable, '-c', program]).returncode == 9
    assert (bag / f'bag.db3-{"wal" if mode == "wal" else "journal"}').stat().st_size
    before = snapshot(bag)
    # what was committed is there, what was not is rolled back
    records = [m.log_ns for m in Recording(file).messages(lambda _: True)]
    assert records == TIMES[:4] + ([TIMES[5]] * 2 if mode == 'wal' else [])
    # and the reader is told that the recording ended before its time
    told = Recording(file).faults
    assert len(told) == 1
    assert 'its writer did not close it' in told[0]
    assert snapshot(bag) == before


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_read_only_folder(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', messages(), storage)
    before = snapshot(bag)
    for path in (*bag.iterdir(), bag):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert stamps(bag) == (TIMES, '')
    finally:
        bag.chmod(0o755)
    assert snapshot(bag) == before


def test_cut_and_damaged_sqlite_keep_what_can_be_read(tmp_path: Path) -> None:
    many = [('/i', image(picture(n, SMALL), START + n)) for n in range(200)]
    file = write_bag(tmp_path / 'bag', many, 'sqlite3') / 'bag.db3'
    data = file.read_bytes()
    file.write_bytes(data[:len(data) * 2 // 3])
    found, told = stamps(file)
    assert 60 < len(found) < 200
    assert 'damaged' in told
    hole = bytearray(data)
    hole[len(data) // 2:len(data) // 2 + 8192] = b'\xa5' * 8192
    file.write_bytes(hole)
    found, told = stamps(file)
    assert 150 < len(found) < 200
    assert str(file) in told
    file.write_bytes(b'')
    with pytest.raises(FootageError, match='is an empty file'):
        BagSource(file)
    with sqlite3.connect(tmp_path / 'other.db3') as database:
        database.execute('CREATE TABLE mine (x)')
    with pytest.raises(FootageError, match='is a database, but no bag'):
        BagSource(tmp_path / 'other.db3')
