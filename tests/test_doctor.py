"""The doctor on machines that lack this or that."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.cli import App, doctor
from assistant.config import Settings, StoreSettings
from assistant.hookspecs import Backend
from assistant.plugins import Found, Plugins
from assistant.store import Store
from assistant.store import doctor as examination
from assistant.store.doctor import Finding, Health, examine


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store without any model."""
    monkeypatch.setenv("ASSISTANT_CONFIG_DIR", str(tmp_path))
    return Store(dataclasses.replace(Settings(), store=StoreSettings(path=str(tmp_path / "models"), offline=True)))


def plugins(*backends: Backend, found: tuple[Found, ...] = ()) -> SimpleNamespace:
    return SimpleNamespace(backends={(each.kind, each.name): each for each in backends}, found=list(found))


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_a_missing_model_of_the_profile_fails_with_its_command(empty: Store) -> None:
    found = by_name(list(examine(empty, plugins())))
    assert found["silero-vad"].health is Health.FAIL
    assert found["silero-vad"].mend == "assistant models pull silero-vad"
    assert "openai-whisper-base" not in found  # neither needed nor there


def test_a_missing_library_fails_only_where_the_settings_need_it(empty: Store) -> None:
    needed = Backend("voice", "piper", "x:y", libraries=("no_such_library",))
    optional = Backend("voice", "coqui", "x:y", "coqui", ("no_such_extra", "no_such.part"))
    found = by_name(list(examine(empty, plugins(needed, optional))))
    assert found["no_such_library"].health is Health.FAIL
    assert found["no_such_extra"].health is found["no_such.part"].health is Health.NOTE
    assert found["no_such_extra"].mend == 'pip install "local-assistant[coqui]"'


def test_it_tells_who_speaks_other_languages(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Plugins(empty.settings)
    found = [finding for finding in examine(empty, here) if finding.area == "language"]
    assert [(finding.name, finding.health, finding.detail) for finding in found] == [
        (language, Health.OK, f"spoken by pico {voice}")
        for language, voice in (("de", "de-DE"), ("fr", "fr-FR"), ("es", "es-ES"), ("it", "it-IT"))
    ]
    monkeypatch.setitem(sys.modules, "py_nanotts", None)
    monkeypatch.setenv("PATH", "")
    lacking = [finding for finding in examine(empty, here) if finding.area == "language"]
    assert {finding.health for finding in lacking} == {Health.NOTE}
    assert "no voice speaks 'de': py-nanotts is not installed" in lacking[0].detail and "espeak" in lacking[0].mend


def test_an_engine_that_is_switched_off_is_not_missed(empty: Store) -> None:
    wake = Backend("wake", "micro", "x:y", "wake", ("no_such_wake",))
    painter = Backend("painter", "diffusers", "x:y", "draw", ("no_such_painter",))
    found = by_name(list(examine(empty, plugins(wake, painter))))
    assert found["no_such_wake"].health is found["no_such_painter"].health is Health.NOTE
    on = dataclasses.replace(
        empty.settings,
        wake=dataclasses.replace(empty.settings.wake, enabled=True),
        draw=dataclasses.replace(empty.settings.draw, model="owner/name"),
    )
    empty.settings = on
    found = by_name(list(examine(empty, plugins(wake, painter))))
    assert found["no_such_wake"].health is found["no_such_painter"].health is Health.FAIL
    assert found["no_such_painter"].mend == 'pip install "local-assistant[draw]"'


def test_a_library_that_cannot_be_loaded_says_why(
    empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("raise OSError('libgomp.so.1: cannot open')\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = by_name(list(examine(empty, plugins(Backend("vad", "silero", "x:y", libraries=("broken_library",))))))
    assert found["broken_library"].health is Health.FAIL
    assert "libgomp.so.1: cannot open" in found["broken_library"].detail


def test_missing_portaudio_is_a_note_with_the_package_to_install(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(name: str, package: str | None = None) -> object:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real(name, package)

    monkeypatch.setattr(examination.importlib, "import_module", without)
    monkeypatch.setattr(sys, "platform", "linux")
    sound = by_name(list(examine(empty, plugins())))["sound"]
    assert (sound.health, sound.mend) == (Health.NOTE, "sudo apt install libportaudio2")


def test_a_gpu_without_torch_fails_the_gpu_profile_only(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_nvidia", lambda: ["Card, 8192 MiB"])
    real = importlib.util.find_spec
    monkeypatch.setattr(examination.importlib.util, "find_spec", lambda name: None if name == "torch" else real(name))
    assert by_name(list(examine(empty, plugins())))["gpu"].health is Health.NOTE
    empty.settings = dataclasses.replace(empty.settings, profile="gpu")
    gpu = by_name(list(examine(empty, plugins())))["gpu"]
    assert gpu.health is Health.FAIL and "[gpu]" in gpu.mend


def test_little_memory_names_a_smaller_model(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "memory_size", lambda: 1_000_000_000)
    memory = by_name(list(examine(empty, plugins())))["memory"]
    assert memory.health is Health.NOTE and "brain.model" in memory.mend


def test_a_full_disk_fails(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    disk = by_name(list(examine(empty, plugins())))["disk"]
    assert disk.health is Health.FAIL and "store.path" in disk.mend


def test_a_plugin_with_a_problem_is_noted(empty: Store) -> None:
    broken = Found("weather", "weather.py", "SyntaxError: invalid syntax")
    found = by_name(list(examine(empty, plugins(found=(broken,)))))
    assert found["weather"].health is Health.NOTE and "SyntaxError" in found["weather"].detail


def test_deep_reports_a_stage_that_does_not_load(empty: Store) -> None:
    def make(kind: str, name: str, store: Store) -> object:
        raise OSError(f"no {kind}")

    found = by_name(list(examine(empty, SimpleNamespace(backends={}, found=[], make=make), deep=True)))
    assert found["voice piper"].health is Health.FAIL and found["voice piper"].detail == "no voice"


def test_the_report_is_one_object_and_its_code_counts(empty: Store, capsys: pytest.CaptureFixture[str]) -> None:
    app = App()
    app.__dict__.update(settings=empty.settings, store=empty, plugins=plugins())
    assert doctor.run(app, argparse.Namespace(json=True, deep=False)) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert {"area", "name", "health", "detail", "mend"} == set(report["findings"][0])
    assert doctor.run(app, argparse.Namespace(json=False, deep=False)) == 1
    assert "assistant models pull silero-vad" in capsys.readouterr().out
