"""The manifest that ships, and what a user may put into one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assistant.config import Settings, flatten, load
from assistant.errors import SettingError
from assistant.store.manifest import Manifest, parse


def test_every_shipped_file_is_pinned() -> None:
    models = list(Manifest.load())
    assert len(models) >= 10
    for model in models:
        assert model.licence and model.task and model.title, model.id
        for file in model.files:
            assert file.size > 0 and re.fullmatch(r"[0-9a-f]{64}", file.sha256), file.path
        if model.source:
            assert model.source in Manifest.load().models
            assert re.fullmatch(r"assistant\.backends\.\w+:\w+", model.derive)
        else:
            assert model.registry, f"{model.id} must be had without a hub"
            assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", package) for package in model.registry.packages)


def test_the_hub_address_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    voice = Manifest.load()["piper-en_US-joe-medium"]
    assert voice.hub is not None
    address = "https://huggingface.co/rhasspy/piper-voices/resolve/v1.0.0/en/en_US/joe/medium/en_US-joe-medium.onnx"
    assert voice.hub.url(voice.files[0]) == address


def test_a_profile_needs_its_models_and_not_what_they_are_made_from() -> None:
    needed = Manifest.load().needed(load())
    assert {
        "smart-turn-v3.2-cpu",
        "silero-vad",
        "all-minilm-l6-v2",
        "faster-whisper-base",
        "efficientnet-lite2-onnx",
        "piper-en_US-joe-medium",
    } <= set(needed)
    assert "efficientnet-lite2" not in needed and "smollm2-135m-instruct-q4_1" not in needed
    assert "faster-whisper-base" not in Manifest.load().needed(load(overrides=["asr.model=faster-whisper-tiny.en"]))
    assert "sample-photo" in Manifest.load().needed(Settings())


def test_every_condition_names_a_setting() -> None:
    conditions = [condition for model in Manifest.load() for condition in model.needed_when if condition != "*"]
    assert conditions and {condition.partition("=")[0] for condition in conditions} <= set(flatten(Settings()))


def test_the_users_manifest_is_merged_over_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models.toml").write_text('[mine]\ntask = "voice"\nfiles = [{ path = "a/b.onnx" }]\nlocal = "here"\n')
    monkeypatch.setenv("ASSISTANT_CONFIG_DIR", str(tmp_path))
    manifest = Manifest.load()
    assert manifest["mine"].local == tmp_path / "here"
    assert manifest["silero-vad"].files


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[m\n", "models.toml"),
        ("[m]\ntask = 'x'\n", "give files"),
        ("[m]\ntask = 'x'\nfrom = 'y'\n", "from and derive belong together"),
        ("[m]\nfiles = [{ path = 'a' }]\n", "task"),
        ("[m]\ntask = 'x'\nfiles = [{ path = '../a' }]\n", "not a plain relative path"),
        ("[m]\ntask = 'x'\nfiles = [{ path = '/a' }]\n", "not a plain relative path"),
        ("['../m']\ntask = 'x'\nfiles = [{ path = 'a' }]\n", "not a plain relative path"),
        ("[m]\ntask = 'x'\nsizes = 3\nfiles = [{ path = 'a' }]\n", "sizes"),
        ("[m]\ntask='x'\nfiles=[{path='a'}]\nregistry={packages=['p==1'],members={b='c'}}\n", "members lacks a"),
    ],
)
def test_a_wrong_manifest_is_one_line_with_its_path(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingError, match=re.escape(wrong)) as caught:
        parse(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
