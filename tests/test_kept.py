"""What plugins keep between conversations."""

from __future__ import annotations

import dataclasses
import logging
import threading
from pathlib import Path

import pytest

from assistant.config import HistorySettings, Settings
from assistant.kept import Kept


def kept(settings: Settings, path: Path, enabled: bool = True) -> Kept[list[int]]:
    history = HistorySettings(path=str(path / "history.sqlite"), enabled=enabled)
    return Kept(
        "numbers", dataclasses.replace(settings, history=history), [], lambda written: [int(n) for n in written]
    )


def test_what_one_changes_another_sees(settings: Settings, tmp_path: Path) -> None:
    one, other = kept(settings, tmp_path), kept(settings, tmp_path)
    assert one.load() == other.load() == []
    one.save([1, 2])
    assert other.load() == [1, 2]


def test_two_who_add_at_once_lose_nothing(settings: Settings, tmp_path: Path) -> None:
    def add(numbers: range) -> None:
        mine = kept(settings, tmp_path)
        for number in numbers:
            with mine.alone():
                value = [*mine.load(), number]
                mine.save(value)

    threads = [threading.Thread(target=add, args=(range(start, start + 20),)) for start in (0, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept(settings, tmp_path).load()) == list(range(40))


@pytest.mark.parametrize("written", ["{", '["a"]', "3", "[null]"])
def test_a_damaged_file_is_set_aside(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, written: str
) -> None:
    (tmp_path / "numbers.json").write_text(written)
    mine = kept(settings, tmp_path)
    with caplog.at_level(logging.WARNING):
        assert mine.load() == []
    assert "cannot be read" in caplog.text
    mine.save([1])
    assert (tmp_path / "numbers.damaged").read_text() == written
    assert kept(settings, tmp_path).load() == [1]


def test_what_cannot_be_written_lasts_while_the_process_lives(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    mine = kept(settings, tmp_path / "file")
    with mine.alone():
        mine.save([1])
    assert "cannot be written" in caplog.text and mine.load() == [1]
