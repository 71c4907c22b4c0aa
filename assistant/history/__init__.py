"""Past conversations: kept in one private SQLite file, listed, searched, exported, and really deleted.

``assistant talk`` records through :class:`~assistant.history.recorder.Recorder`; nothing else does.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import platformdirs

from ..errors import HistoryError, InputError
from ..types import Message, Percept, Reply, ToolCall, ToolResult
from . import database
from .records import Found, Media, PastConversation, PastTurn, Summary

if TYPE_CHECKING:
    from ..config import Settings

__all__ = ["Conversation", "Found", "History", "Media", "PastConversation", "PastTurn", "Summary"]

log = logging.getLogger(__name__)

REMEMBERED = 40
"""Messages that :meth:`History.messages` gives at most."""

LABELS = 5
"""Labels of a picture that are kept."""

_TURN = "id, at, question, language, reply, heard, interrupted, results, latencies, seen"


class History:
    """The record of past conversations; may be used from any thread and by several processes at once.

    Every method raises :class:`~assistant.errors.HistoryError` where the file cannot be used. The
    file is opened, and made where it is missing, when it is first needed.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.history
        home = Path(platformdirs.user_data_dir("assistant"))
        self.path = Path(self.settings.path or home / "history.sqlite").expanduser()
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._indexed = False

    def begin(self, continuing: int | None = None) -> Conversation:
        """Return a new conversation, or a past one to go on with; it enters the record with its first turn."""
        if not self.settings.enabled:
            raise HistoryError("the history is switched off; run: assistant config set history.enabled true")
        if continuing is not None:
            self.show(continuing)
        return Conversation(self, continuing)

    def conversations(self, most: int | None = None) -> list[Summary]:
        """Return the conversations, the latest first."""
        query = (
            "SELECT conversations.id, began, max(at), count(*), "
            "(SELECT question FROM turns WHERE conversation = conversations.id ORDER BY id LIMIT 1) "
            "FROM conversations JOIN turns ON conversation = conversations.id "
            "GROUP BY conversations.id ORDER BY max(at) DESC, conversations.id DESC LIMIT ?"
        )
        with self._reading() as connection:
            return [Summary(*row) for row in connection.execute(query, (-1 if most is None else most,))]

    def show(self, conversation: int) -> PastConversation:
        """Return one conversation; raise :class:`~assistant.errors.InputError` where there is none of this number."""
        with self._reading() as connection:
            row = connection.execute("SELECT began FROM conversations WHERE id = ?", (conversation,)).fetchone()
            if row is None:
                raise InputError(f"there is no conversation {conversation}; see: assistant history list")
            turns = connection.execute(
                f"SELECT {_TURN}, (SELECT group_concat(kind) FROM media WHERE turn = turns.id) "
                "FROM turns WHERE conversation = ? ORDER BY id",
                (conversation,),
            )
            return PastConversation(conversation, row[0], tuple(map(_turn, turns)))

    def all(self) -> Iterator[PastConversation]:
        """Yield every conversation, the earliest first."""
        for summary in reversed(self.conversations()):
            yield self.show(summary.id)

    def messages(self, conversation: int, most: int = REMEMBERED) -> tuple[Message, ...]:
        """Return the last messages of a conversation, from a question on, as the language model is to know them."""
        messages: tuple[Message, ...] = ()
        for turn in reversed(self.show(conversation).turns):
            if len(messages) + len(turn.messages) > most:
                break
            messages = turn.messages + messages
        return messages

    def latest(self) -> int | None:
        """Return the number of the conversation that was held last."""
        return next((summary.id for summary in self.conversations(1)), None)

    def search(self, text: str, most: int = 20) -> list[Found]:
        """Return the turns that hold all words of ``text``, or what begins like them, the best first.

        Where the full-text index finds nothing, or this SQLite has none, any part of a word counts.
        """
        words = re.findall(r"[^\W_]+", text)
        if not words:
            raise InputError("say what to look for: assistant history search WORDS")
        with self._reading() as connection:
            return self._indexed_search(connection, words, most) or self._plain_search(connection, words, most)

    def media(self, turn: int) -> list[Media]:
        """Return what was kept of a turn's sound and picture."""
        query = "SELECT kind, ending, content FROM media WHERE turn = ? ORDER BY kind"
        with self._reading() as connection:
            return [Media(*row) for row in connection.execute(query, (turn,))]

    def delete(self, conversations: Iterable[int]) -> int:
        """Delete conversations so that their words are no longer in the file; return how many there were."""
        wanted = [(conversation,) for conversation in conversations]
        return self._delete("DELETE FROM conversations WHERE id = ?", wanted)

    def delete_before(self, moment: float) -> int:
        """Delete the conversations that ended before ``moment``, in seconds since 1970."""
        ended = "(SELECT max(at) FROM turns WHERE conversation = conversations.id)"
        return self._delete(f"DELETE FROM conversations WHERE coalesce({ended}, began) < ?", [(moment,)])

    def delete_all(self) -> int:
        """Delete every conversation."""
        return self._delete("DELETE FROM conversations", [()])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _add(self, conversation: int | None, began: float, turn: PastTurn, media: Sequence[Media]) -> int:
        """Write one turn; return the number of its conversation."""
        with self._writing() as connection:
            # The user may have deleted this very conversation meanwhile: then it begins again with this turn.
            cursor = connection.execute("INSERT OR IGNORE INTO conversations VALUES (?, ?)", (conversation, began))
            number = conversation if conversation is not None else int(cursor.lastrowid or 0)
            values = (
                number,
                turn.at,
                _text(turn.question),
                turn.language,
                _text(turn.reply),
                _text(turn.heard),
                turn.interrupted,
                json.dumps([_result(result) for result in turn.results], default=str),
                json.dumps(dict(turn.latencies)),
                None if turn.seen is None else json.dumps(dict(turn.seen)),
            )
            marks = ", ".join("?" * len(values))
            row = connection.execute(
                f"INSERT INTO turns (conversation, {_TURN.removeprefix('id, ')}) VALUES ({marks})", values
            ).lastrowid
            if self._indexed:
                connection.execute(
                    "INSERT INTO words (rowid, question, heard) VALUES (?, ?, ?)", (row, values[2], values[5])
                )
            connection.executemany(
                "INSERT INTO media VALUES (?, ?, ?, ?)", [(row, one.kind, one.ending, one.content) for one in media]
            )
        return number

    def _lengthen(self, conversation: int, heard: str) -> None:
        """Add what was heard later to the last turn of a conversation."""
        with self._writing() as connection:
            query = "SELECT id, question, heard FROM turns WHERE conversation = ? ORDER BY id DESC LIMIT 1"
            last = connection.execute(query, (conversation,)).fetchone()
            if last is None:  # deleted meanwhile
                return
            turn, question, before = last
            longer = f"{before} {_text(heard)}".strip()
            connection.execute("UPDATE turns SET heard = ? WHERE id = ?", (longer, turn))
            if self._indexed:
                old, new = (turn, question, before), (turn, question, longer)
                connection.execute("INSERT INTO words (words, rowid, question, heard) VALUES ('delete', ?, ?, ?)", old)
                connection.execute("INSERT INTO words (rowid, question, heard) VALUES (?, ?, ?)", new)

    def _delete(self, query: str, parameters: Sequence[tuple[float, ...]]) -> int:
        if not self.path.exists():
            return 0
        with self._writing() as connection:
            deleted = connection.executemany(query, parameters).rowcount
            if self._indexed:  # the index would keep the words until its segments are merged
                connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
        with self._open() as connection:
            connection.execute("PRAGMA temp_store = MEMORY")  # no copy of the record in a temporary file
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            log.warning("another assistant is reading %s: deleted words may stay in it until that one ends", self.path)
        return deleted

    def _indexed_search(self, connection: sqlite3.Connection, words: Sequence[str], most: int) -> list[Found]:
        if not self._indexed:
            return []
        stale = "SELECT (SELECT count(*) FROM turns) - (SELECT count(*) FROM words_docsize)"
        if connection.execute(stale).fetchone()[0]:  # written by a Python whose SQLite has no FTS5
            connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
        wanted = " ".join(f'"{word}"*' for word in words)
        query = (
            f"SELECT {_TURN}, NULL, conversation FROM turns JOIN "
            "(SELECT rowid AS found, rank FROM words WHERE words MATCH ?) ON found = id ORDER BY rank, id DESC LIMIT ?"
        )
        return [Found(row[-1], _turn(row[:-1])) for row in connection.execute(query, (wanted, most))]

    def _plain_search(self, connection: sqlite3.Connection, words: Sequence[str], most: int) -> list[Found]:
        connection.create_function("fold", 1, str.casefold, deterministic=True)
        holds = " AND ".join(["instr(fold(question || ' ' || heard), fold(?))"] * len(words))
        query = f"SELECT {_TURN}, NULL, conversation FROM turns WHERE {holds} ORDER BY id DESC LIMIT ?"
        return [Found(row[-1], _turn(row[:-1])) for row in connection.execute(query, (*words, most))]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock, database.told(self.path):
            if self._connection is None:
                self._connection = database.connect(self.path)
                self._indexed = database.index(self._connection)
            yield self._connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection; where there is no file yet, an empty one in memory."""
        if self.path.exists():
            with self._open() as connection:
                yield connection
            return
        empty = sqlite3.connect(":memory:")
        empty.executescript(database.SCHEMA)
        try:
            yield empty
        finally:
            empty.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise


class Conversation:
    """A conversation that is being recorded."""

    def __init__(self, history: History, continuing: int | None = None) -> None:
        self._history = history
        self._began = time.time()
        self.id = continuing
        """Its number; ``None`` until its first turn is recorded."""

    def add(
        self,
        question: str,
        reply: Reply,
        *,
        language: str = "",
        latencies: Mapping[str, float] | None = None,
        percept: Percept | None = None,
        media: Sequence[Media] = (),
        at: float | None = None,
    ) -> None:
        """Record one turn; ``media`` are dropped unless ``history.keep_media`` is on.

        ``latencies`` are seconds, ``at`` seconds since 1970 (now, by default). Raises
        :class:`~assistant.errors.HistoryError` where it cannot be written.
        """
        turn = PastTurn(
            at=time.time() if at is None else at,
            question=question,
            language=language,
            reply=reply.text,
            heard=reply.heard,
            interrupted=reply.interrupted,
            results=reply.calls,
            latencies=latencies or {},
            seen=None if percept is None else seen(percept),
        )
        kept = media if self._history.settings.keep_media else ()
        self.id = self._history._add(self.id, self._began, turn, kept)

    def lengthen(self, heard: str) -> None:
        """Record that the last reply went on, and what more was heard of it; nothing where no turn was recorded.

        Raises :class:`~assistant.errors.HistoryError` where it cannot be written.
        """
        if self.id is not None:
            self._history._lengthen(self.id, heard)

    def forget(self) -> None:
        """Delete what was recorded of it; what is added after that is a new one.

        Raises :class:`~assistant.errors.HistoryError` where it cannot be written.
        """
        if self.id is not None:
            self._history.delete([self.id])
        self.id, self._began = None, time.time()

    def close(self) -> None:
        """Close the file."""
        self._history.close()


def seen(percept: Percept) -> dict[str, Any]:
    """Return what is kept of a picture: what was made of it, not the picture."""
    return {
        "verdict": percept.verdict.value,
        "labels": [
            {"label": label.label, "probability": round(label.probability, 3), "place": label.place}
            for label in percept.labels[:LABELS]
        ],
        "caption": percept.caption,
    }


def _turn(row: Sequence[Any]) -> PastTurn:
    number, at, question, language, reply, heard, interrupted, results, latencies, picture, media = row
    return PastTurn(
        at=at,
        question=question,
        language=language,
        reply=reply,
        heard=heard,
        interrupted=bool(interrupted),
        results=tuple(
            ToolResult(ToolCall(one["tool"], one["arguments"]), one["result"], one["failed"])
            for one in json.loads(results)
        ),
        latencies=json.loads(latencies),
        seen=None if picture is None else json.loads(picture),
        media=tuple(sorted(media.split(","))) if media else (),
        id=number,
    )


def _result(result: ToolResult) -> dict[str, Any]:
    call = result.call
    return {"tool": call.name, "arguments": dict(call.arguments), "result": result.result, "failed": result.failed}


def _text(text: str) -> str:
    """Return ``text`` without what UTF-8 cannot write: half a surrogate pair, where a reply was cut off."""
    return text.encode("utf-8", "replace").decode("utf-8")
