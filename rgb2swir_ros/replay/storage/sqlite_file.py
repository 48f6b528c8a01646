"""Read sqlite3 bags (``.db3``), also those whose writer was killed.

The file is opened as immutable: SQLite then neither locks it nor writes beside it. A journal or
write-ahead log beside it has changes that SQLite must first write to the database. Then a copy in
a temporary folder is opened.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from rgb2swir_ros.replay.storage.base import (
    CDR,
    Connection,
    Message,
    Unreadable,
    Wanted,
    merged,
    reason,
)

JOURNALS = ('-wal', '-journal')


class SqliteFile:
    """A sqlite3 file of rosbag2, of any schema version."""

    def __init__(self, path: Path) -> None:
        """Read the topics and the times of all messages.

        :raises Unreadable: if it is no bag, or nothing in it can be read.
        """
        self.path = path
        self.faults: list[str] = []
        self.in_time_order = True
        if not path.stat().st_size:
            raise Unreadable(f"'{path}' is an empty file")
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._open_path = self._settled()
        try:
            with closing(self._connect()) as database:
                topics = self._topics(database)
                self._rows = self._index(database)
        except sqlite3.DatabaseError as error:
            raise Unreadable(f"the bag '{path}' cannot be opened: {reason(error)}") from error
        counts = Counter(topic for _, _, topic in self._rows)
        self._topics_by_id = {
            number: Connection(c.topic, c.msgtype, c.encoding, c.schema_encoding, c.definition,
                               c.qos, counts[number]) for number, c in topics.items()}
        self.connections = merged(self._topics_by_id.values())
        self._found = list(self.faults)

    def messages(self, wanted: Wanted) -> Iterator[Message]:
        """Yield the messages of some connections in the order of their record times."""
        self.faults = list(self._found)
        lost: list[str] = []
        chosen = {number: c for number, c in self._topics_by_id.items() if wanted(c)}
        with closing(self._connect()) as database:
            for time, row, topic in self._rows:
                if topic not in chosen:
                    continue
                try:
                    found = database.execute('SELECT data FROM messages WHERE rowid = ?',
                                             (row,)).fetchone()
                    if found is None or not isinstance(found[0], bytes):
                        raise sqlite3.DatabaseError('no data')
                except sqlite3.DatabaseError as error:
                    lost.append(reason(error))
                    continue
                yield Message(chosen[topic], time, found[0])
        if lost:
            self.faults.append(f'{len(lost)} messages cannot be read: {lost[0]}')

    def _settled(self) -> Path:
        """Return the path to open: that of a copy if there is a journal beside the file."""
        beside = [Path(f'{self.path}{end}') for end in JOURNALS]
        beside = [path for path in beside if path.is_file() and path.stat().st_size]
        if not beside:
            return self.path
        self._copy = tempfile.TemporaryDirectory(prefix='rgb2swir-bag-')
        copy = Path(self._copy.name, 'bag.db3')
        try:
            shutil.copyfile(self.path, copy)
            for path in beside:
                shutil.copyfile(path, f'{copy}{path.name.removeprefix(self.path.name)}')
            with closing(sqlite3.connect(copy)) as database:
                database.execute('SELECT count(*) FROM sqlite_master').fetchone()
        except OSError as error:
            raise Unreadable(
                f"the bag '{self.path}' has a journal beside it, so that a copy must be read: "
                f'{error.strerror or error} in {tempfile.gettempdir()} (TMPDIR names another '
                'place)') from error
        except sqlite3.DatabaseError as error:
            self.faults.append(f'its journal cannot be applied: {reason(error)}')
            return self.path
        self.faults.append('its writer did not close it: what it had not committed is missing (a '
                           'journal lies beside it)')
        return copy

    def _connect(self) -> sqlite3.Connection:
        name = quote(os.fsencode(self._open_path.absolute()))
        options = 'immutable=1' if self._open_path == self.path else 'mode=ro'
        database = sqlite3.connect(f'file:{name}?{options}', uri=True, check_same_thread=False)
        database.text_factory = lambda text: text.decode('utf-8', 'replace')
        # makes SQLite open truncated files; a read-only connection writes nothing
        database.execute('PRAGMA writable_schema = ON')
        return database

    def _topics(self, database: sqlite3.Connection) -> dict[int, Connection]:
        tables = {name for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {'topics', 'messages'} <= tables:
            raise Unreadable(f"'{self.path}' is a database, but no bag: it has no tables 'topics' "
                             "and 'messages'")
        columns = {row[1] for row in database.execute('PRAGMA table_info(topics)')}
        qos = 'offered_qos_profiles' if 'offered_qos_profiles' in columns else "''"
        definitions: dict[str, tuple[str, str]] = {}
        if 'message_definitions' in tables:
            try:
                definitions = {name: (encoding, text) for name, encoding, text in database.execute(
                    'SELECT topic_type, encoding, encoded_message_definition '
                    'FROM message_definitions')}
            except sqlite3.DatabaseError as error:
                self.faults.append(f'the definitions cannot be read: {reason(error)}')
        found = {}
        for number, name, kind, encoding, offered in database.execute(
                f'SELECT id, name, type, serialization_format, {qos} FROM topics'):
            schema, text = definitions.get(kind, ('', ''))
            found[number] = Connection(name, kind, encoding or CDR, schema, str(text).encode(),
                                       offered or '')
        return found

    def _index(self, database: sqlite3.Connection) -> list[tuple[int, int, int]]:
        """Return (record time, row, topic) of every message, in the order of record times.

        A damaged table is read from both ends.
        """
        found: dict[int, tuple[int, int, int]] = {}
        broken = ''
        for direction in ('ASC', 'DESC'):
            try:
                for row, time, topic in database.execute(
                        'SELECT rowid, timestamp, topic_id FROM messages NOT INDEXED '
                        f'ORDER BY rowid {direction}'):
                    found[row] = time, row, topic
                break
            except sqlite3.DatabaseError as error:
                broken = reason(error)
        if broken:
            self.faults.append(f'its table of messages is damaged ({broken}): {len(found)} '
                               'messages were found')
        return sorted(found.values())
