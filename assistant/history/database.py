"""The SQLite file that conversations are kept in: opened, checked, and its troubles told in one line."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import HistoryError

VERSION = 1
"""Format that this code reads and writes, as ``PRAGMA user_version``."""

APPLICATION = 0x41535348
"""``ASSH``, as ``PRAGMA application_id``: tells this file from any other SQLite file."""

PATIENCE = 5.0
"""Seconds to wait for another process that is writing."""

SCHEMA = """
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- an id is never given twice, so a deleted conversation stays deleted
    began REAL NOT NULL
);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    at REAL NOT NULL,
    question TEXT NOT NULL,
    language TEXT NOT NULL,
    reply TEXT NOT NULL,
    heard TEXT NOT NULL,
    interrupted INTEGER NOT NULL,
    results TEXT NOT NULL,
    latencies TEXT NOT NULL,
    seen TEXT
);
CREATE INDEX turns_of ON turns(conversation);
CREATE TABLE media (
    turn INTEGER NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    ending TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (turn, kind)
);
"""

INDEX = """
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    question, heard, content='turns', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
)
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, or make it readable by nobody else; raise :class:`HistoryError` where it cannot be used."""
    with told(path):
        _make_private(path)
        connection = sqlite3.connect(path, PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA foreign_keys = ON")
            _check(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
    return connection


def index(connection: sqlite3.Connection) -> bool:
    """Make the full-text index where it is missing; return whether this SQLite can have one."""
    try:
        connection.execute(INDEX)
    except sqlite3.OperationalError as error:
        if "no such module" in str(error):
            return False
        raise
    return True


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into one line that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise HistoryError(_explained(error, path)) from error
    except OSError as error:
        raise HistoryError(f"cannot use the history {path}: {error.strerror or error}; see history.path") from error


def _explained(error: sqlite3.Error, path: Path) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"the history {path} is damaged ({error}); move it aside: mv '{path}' '{path}.damaged'"
    if name.startswith("SQLITE_FULL"):
        return f"no space is left for the history {path}; free some, or: assistant config set history.enabled false"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"the history {path} is being written by another assistant; try again when it is done"
    return f"cannot use the history {path}: {error}; see history.path"


def _make_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables in a new file; refuse a file of another program or of a later format."""
    if _pragma(connection, "application_id") == APPLICATION:
        version = _pragma(connection, "user_version")
        if version > VERSION:
            raise HistoryError(
                f"the history {path} was written by a newer assistant (format {version}, this one knows {VERSION}); "
                "update this one, or set history.path to another file"
            )
        return
    connection.execute("BEGIN IMMEDIATE")  # two processes may make the file at the same time
    try:
        if _pragma(connection, "application_id") != APPLICATION:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise HistoryError(f"{path} is no history of the assistant; set history.path to another file")
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
