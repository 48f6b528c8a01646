"""The cache: private, exact, and written atomically."""

import errno
import json
import os
import select
import shutil
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from rgb2swir_ros.engines.cache import EngineCache, Entry
from rgb2swir_ros.errors import UserError

FIELDS = {'model': 'nano', 'height': 32, 'width': 48, 'batch': 1, 'backend': 'inductor',
          'precision': 'bfloat16', 'threads': 2, 'model_hash': 'aa', 'torch': '2.13',
          'processor': 'x86'}


class Builder:
    """Writes an engine and counts its calls."""

    def __init__(self, content=b'engine'):
        self.content, self.calls = content, 0

    def __call__(self, folder):
        self.calls += 1
        (folder / 'engine.pt2').write_bytes(self.content)
        return folder / 'engine.pt2', {'build_s': 1.5}


def build(cache, fields=FIELDS, builder=None, said=None):
    builder = builder or Builder()
    entry = cache.get(fields, builder, None if said is None else said.append)
    return entry, builder.calls


def test_second_call_finds_what_the_first_built(tmp_path):
    cache = EngineCache(tmp_path / 'c')
    first, calls = build(cache)
    assert (calls, first.from_cache, first.file.read_bytes()) == (1, False, b'engine')
    second, calls = build(cache)
    assert (calls, second.from_cache) == (0, True)
    assert second.file == first.file
    assert second.facts == {'build_s': 1.5}


@pytest.mark.parametrize('field', sorted(FIELDS))
def test_each_field_makes_another_engine(tmp_path, field):
    cache = EngineCache(tmp_path / 'c')
    first, _ = build(cache)
    other, calls = build(cache, {**FIELDS, field: 'else'})
    assert calls == 1
    assert other.file != first.file
    assert build(cache)[1] == 0  # and the first is still there


@pytest.mark.parametrize('field', ['model_hash', 'torch', 'processor'])
def test_says_what_changed_since_the_last_build(tmp_path, field):
    cache, said = EngineCache(tmp_path / 'c'), []
    build(cache)
    build(cache, {**FIELDS, field: 'else'}, said=said)
    assert said == [f'no engine fits: {field} changed from {FIELDS[field]!r} to \'else\'; '
                    'rebuilding']


def test_of_a_hash_the_beginning_is_said(tmp_path):
    cache, said = EngineCache(tmp_path / 'c'), []
    build(cache, {**FIELDS, 'model_hash': 'ab' * 32})
    build(cache, {**FIELDS, 'model_hash': 'cd' * 32, 'torch': '9'}, said=said)
    assert said == ["no engine fits: model_hash changed from 'ababababababa...' to "
                    "'cdcdcdcdcdcdc...', torch changed from '2.13' to '9'; rebuilding"]


def test_the_nearest_engine_is_named(tmp_path):
    cache, said = EngineCache(tmp_path / 'c'), []
    build(cache, {**FIELDS, 'torch': '1', 'processor': 'arm'})
    build(cache)
    build(cache, {**FIELDS, 'torch': '3'}, said=said)
    assert said == ["no engine fits: torch changed from '2.13' to '3'; rebuilding"]


def test_an_engine_that_does_not_serve_stays_until_the_new_one_is_whole(tmp_path):
    cache = EngineCache(tmp_path / 'c')
    old, _ = build(cache)

    def fail(_):
        raise RuntimeError('no compiler')
    with pytest.raises(RuntimeError, match='no compiler'):
        cache.get(FIELDS, fail, instead_of=old)
    assert cache.find(FIELDS) == Entry(old.file, old.facts, from_cache=True)
    new = cache.get(FIELDS, Builder(b'newer'), instead_of=old)
    assert (new.from_cache, new.file.read_bytes()) == (False, b'newer')


def test_another_process_may_have_built_what_is_wanted_instead(tmp_path):
    cache = EngineCache(tmp_path / 'c')
    old, _ = build(cache)
    cache.get(FIELDS, lambda folder: (Builder()(folder)[0], {'build_s': 2}), instead_of=old)
    again = Builder()
    assert cache.get(FIELDS, again, instead_of=old).from_cache
    assert again.calls == 0


def test_what_is_no_part_of_an_engine_is_never_removed(tmp_path):
    cache = EngineCache(tmp_path / 'c')
    entry, _ = build(cache)
    damage_engine(entry)
    notes = entry.file.with_name('notes.txt')
    notes.write_text('mine')
    builder = Builder()
    with pytest.raises(UserError, match=r"holds 'notes.txt'\): move it away"):
        build(cache, builder=builder)
    assert builder.calls == 0  # said before minutes of building
    assert notes.read_text() == 'mine'
    notes.unlink()
    assert build(cache)[1] == 1


def test_what_a_compiler_leaves_beside_the_engine_is_not_kept(tmp_path):
    cache = EngineCache(tmp_path / 'c')

    def untidy(folder):
        (folder / 'timings').write_text('')
        (folder / 'work' / 'deep').mkdir(parents=True)
        return Builder()(folder)
    entry = cache.get(FIELDS, untidy)
    assert sorted(os.listdir(entry.file.parent)) == ['engine.pt2', 'manifest.json']


def out_of_room(folder):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / 'engine.pt2'))


def wrapped_by_a_compiler(folder):
    try:
        out_of_room(folder)
    except OSError as error:
        raise RuntimeError('g++: exit code 1') from error


def read_only(folder):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder / 'engine.pt2'))


def no_right(folder):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder / 'engine.pt2'))


@pytest.mark.parametrize(('fail', 'reason'), [
    (out_of_room, 'No space left'), (wrapped_by_a_compiler, 'No space left'),
    (read_only, 'Read-only file system'), (no_right, 'Permission denied')])
def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path, fail, reason):
    cache = EngineCache(tmp_path / 'c')
    with pytest.raises(UserError, match=f'{reason}.*RGB2SWIR_CACHE') as caught:
        cache.get(FIELDS, fail)
    assert str(cache.folder) in str(caught.value)
    assert '\n' not in str(caught.value)
    assert [path for path in cache.folder.iterdir() if path.is_dir()] == []


def test_a_compiler_that_failed_on_a_full_disk_is_not_to_blame(tmp_path, monkeypatch):
    """Compilers report a full disk in many ways."""
    def fail(_):
        raise RuntimeError('g++ failed')
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: SimpleNamespace(free=4096))
    with pytest.raises(UserError, match=r'No space left.*RGB2SWIR_CACHE'):
        EngineCache(tmp_path / 'c').get(FIELDS, fail)


def test_an_error_elsewhere_is_not_the_folders(tmp_path):
    def fail(_):
        raise PermissionError(errno.EACCES, 'Permission denied', '/usr/bin/g++')
    with pytest.raises(PermissionError):
        EngineCache(tmp_path / 'c').get(FIELDS, fail)


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    monkeypatch.setattr('fcntl.flock', no_locks)
    with pytest.raises(UserError, match='RGB2SWIR_CACHE to a folder on a local disk'):
        build(EngineCache(tmp_path / 'c'))


@pytest.mark.skipif(os.geteuid() == 0, reason='the administrator may write everywhere')
def test_a_folder_without_the_right_to_write_serves_what_is_there(tmp_path):
    cache = EngineCache(tmp_path / 'c')
    build(cache)
    cache.folder.chmod(0o500)
    assert EngineCache(cache.folder).find(FIELDS)
    with pytest.raises(UserError, match=r'Permission denied.*RGB2SWIR_CACHE'):
        build(cache, {**FIELDS, 'torch': 'else'})


@pytest.mark.parametrize('field', [*sorted(FIELDS), 'engine_format'])
def test_manifest_with_another_field_is_not_trusted(tmp_path, field):
    cache, said = EngineCache(tmp_path / 'c'), []
    manifest = build(cache)[0].file.with_name('manifest.json')
    content = json.loads(manifest.read_text())
    content['fields'][field] = 'forged'
    manifest.write_text(json.dumps(content))
    entry, calls = build(cache, said=said)
    assert (calls, entry.from_cache) == (1, False)
    assert len(said) == 1
    assert f"{field} is 'forged'" in said[0]
    assert build(cache)[1] == 0


def damage_engine(entry):
    entry.file.write_bytes(b'enginf')


def remove_engine(entry):
    entry.file.unlink()


def remove_manifest(entry):
    entry.file.with_name('manifest.json').unlink()


def cut_manifest(entry):
    path = entry.file.with_name('manifest.json')
    path.write_text(path.read_text()[:40])


def empty_manifest(entry):
    entry.file.with_name('manifest.json').write_text('[]')


def point_elsewhere(entry):
    path = entry.file.with_name('manifest.json')
    (entry.file.parents[1] / 'other.pt2').write_bytes(b'engine')
    path.write_text(json.dumps({**json.loads(path.read_text()), 'file': '../other.pt2'}))


@pytest.mark.parametrize(('harm', 'reason'), [
    (damage_engine, 'another hash'), (remove_engine, 'cannot be read'),
    (remove_manifest, 'manifest cannot be read'), (cut_manifest, 'manifest cannot be read'),
    (empty_manifest, 'incomplete'), (point_elsewhere, 'elsewhere')])
def test_damaged_engine_is_built_again(tmp_path, harm, reason):
    cache, said = EngineCache(tmp_path / 'c'), []
    harm(build(cache)[0])
    entry, calls = build(cache, said=said)
    assert (calls, entry.file.read_bytes()) == (1, b'engine')
    assert len(said) == 1
    assert reason in said[0]
    assert '\n' not in said[0]


def test_failed_build_leaves_nothing(tmp_path):
    cache = EngineCache(tmp_path / 'c')

    def fail(folder):
        (folder / 'engine.pt2').write_bytes(b'half')
        raise RuntimeError('no space')

    with pytest.raises(RuntimeError, match='no space'):
        cache.get(FIELDS, fail)
    assert cache.find(FIELDS) is None
    assert not [p for p in cache.folder.iterdir() if p.is_dir()]


SCRIPT = textwrap.dedent('''
    import json, os, signal, sys, time
    from pathlib import Path
    from rgb2swir_ros.engines.cache import EngineCache
    folder, how, fields = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])

    def build(scratch):
        with (folder.parent / 'builds').open('a') as log:
            log.write('x')
        (scratch / 'engine.pt2').write_bytes(b'half')
        print('building', flush=True)
        sys.stdin.readline()
        if how == 'die':
            os.kill(os.getpid(), signal.SIGKILL)
        (scratch / 'engine.pt2').write_bytes(b'engine')
        return scratch / 'engine.pt2', {}

    entry = EngineCache(folder).get(fields, build, lambda text: print(text, flush=True))
    print('got', entry.from_cache, entry.file.read_bytes(), flush=True)
''')


def start(folder, how):
    return subprocess.Popen([sys.executable, '-c', SCRIPT, str(folder), how, json.dumps(FIELDS)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_build_once(tmp_path):
    with start(tmp_path / 'c', 'live') as first:
        assert first.stdout.readline() == 'building\n'
        with start(tmp_path / 'c', 'live') as second:
            assert 'waiting for another process' in second.stdout.readline()
            assert not select.select([second.stdout], [], [], 0.5)[0]  # it does wait
            first.communicate('\n')
            assert second.communicate()[0] == "got True b'engine'\n"
    assert (tmp_path / 'builds').read_text() == 'x'


def test_killed_build_leaves_no_engine_and_no_lock(tmp_path):
    cache = EngineCache(tmp_path / 'c')
    with start(cache.folder, 'die') as process:
        process.communicate('\n')
    assert process.returncode < 0
    assert cache.find(FIELDS) is None
    entry, calls = build(cache)
    assert (calls, entry.file.read_bytes()) == (1, b'engine')
    assert [p for p in cache.folder.iterdir() if p.is_dir()] == [entry.file.parent]


def test_folder_is_private(tmp_path):
    before = os.umask(0)
    try:
        cache = EngineCache(tmp_path / 'deep' / 'c')
    finally:
        os.umask(before)
    assert cache.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize('mode', [0o770, 0o702, 0o777])
def test_folder_that_others_can_write_to_is_refused(tmp_path, mode):
    tmp_path.chmod(mode)
    with pytest.raises(UserError, match=f'chmod 700 {tmp_path}'):
        EngineCache(tmp_path)


def test_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    owner = os.geteuid()
    monkeypatch.setattr(os, 'geteuid', lambda: owner + 1)
    with pytest.raises(UserError, match=f'belongs to user {owner}'):
        EngineCache(tmp_path)


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / 'c').write_text('')
    with pytest.raises(UserError, match='RGB2SWIR_CACHE'):
        EngineCache(tmp_path / 'c')


def test_default_is_the_configured_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('RGB2SWIR_CACHE', str(tmp_path / 'mine'))
    assert EngineCache().folder == tmp_path / 'mine'
