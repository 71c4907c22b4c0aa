"""Files that are written: checked before the work, whole or not at all."""

import os

import pytest

from assistant import output
from assistant.errors import InputError


@pytest.mark.parametrize(
    ("name", "endings", "told"),
    [
        ("a.txt", (".wav", ".flac"), "must end in .wav or .flac"),
        ("a.txt", (".md",), "must end in .md$"),
        ("a.webp", (".png", ".jpg", ".jpeg"), "must end in .png, .jpg or .jpeg"),
        ("no/a.md", (), "there is no folder"),
        ("folder.md", (".md",), "is a folder; give the name of a file"),
    ],
)
def test_what_cannot_be_written_is_told_beforehand(name, endings, told, tmp_path):
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(InputError, match=told):
        output.check(tmp_path / name, endings)


def test_what_can_be_written_is_not(tmp_path, monkeypatch):
    output.check(tmp_path / "A.WAV", (".wav",))
    monkeypatch.chdir(tmp_path)
    output.check(type(tmp_path)("a.md"))
    assert not list(tmp_path.iterdir()), "only looked"


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    with output.whole(path) as partial:
        partial.write_text("old")
        assert not path.exists() and partial.suffix == ".partial" and str(os.getpid()) in partial.name
    with pytest.raises(KeyboardInterrupt), output.whole(path) as partial:
        partial.write_text("ne")
        raise KeyboardInterrupt
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "old")]
