"""Look the machine over: what is there, what is missing, and the command that mends it."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from ..backends import espeak
from ..config import DrawSettings, SoundsSettings, WakeSettings
from ..errors import AssistantError, SettingError
from ..hookspecs import Backend
from ..overtones import engine_of
from ..plugins import Plugins
from ..spoken_numbers import LANGUAGES
from ..voices import voice_of
from . import Condition, Store

KINDS = {"brain": ("brain", "session"), "fusion": ("fuser",), "draw": ("painter",), "sounds": ("hearer",)}
"""The kinds of backend that a section's ``engine`` may name, where it is not called like the section."""


class Health(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    NOTE = "note"
    """Something optional is missing."""
    FAIL = "fail"
    """Something that the settings in force need is missing or broken."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    area: str
    name: str
    health: Health
    detail: str
    mend: str = ""
    """The command that mends it."""


def examine(store: Store, plugins: Plugins, deep: bool = False) -> Iterator[Finding]:
    """Yield what is found, area by area; ``deep`` also loads each stage and uses it once."""
    yield from _machine(store)
    yield from _gpu(store)
    yield from _devices()
    yield from _libraries(store, plugins)
    yield from _models(store)
    yield from _languages(store, plugins)
    for found in plugins.found:
        health = Health.NOTE if found.problem else Health.OK
        yield Finding("plugin", found.name, health, found.problem or found.origin)
    if deep:
        yield from _stages(store, plugins)


def _machine(store: Store) -> Iterator[Finding]:
    yield Finding("machine", "python", Health.OK, f"{platform.python_version()} at {sys.executable}")
    yield Finding("machine", "platform", Health.OK, f"{platform.platform()}, {os.cpu_count()} cores")
    needed = [store.manifest[model] for model in store.manifest.needed(store.settings)]
    memory, asked = memory_size(), sum(model.memory for model in needed)
    if not memory:
        yield Finding("machine", "memory", Health.NOTE, "its size is unknown")
    elif memory > asked * 1.2:
        yield Finding("machine", "memory", Health.OK, f"{memory / 1e9:.1f} GB, the models need {asked / 1e9:.1f} GB")
    else:
        yield Finding(
            "machine", "memory", Health.NOTE, f"{memory / 1e9:.1f} GB are little: the models need {asked / 1e9:.1f} GB",
            "assistant config set brain.model qwen2.5-coder-0.5b-instruct-q4_k_m",
        )  # fmt: skip
    folder = next(parent for parent in (store.root, *store.root.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    missing = sum(entry.model.size for entry in store.entries() if entry.needed and entry.condition != Condition.READY)
    if free > missing:
        yield Finding("machine", "disk", Health.OK, f"{free / 1e9:.1f} GB free for {store.root}")
    else:
        yield Finding(
            "machine", "disk", Health.FAIL, f"{free / 1e9:.1f} GB free, {missing / 1e9:.1f} GB to fetch",
            "assistant config set store.path FOLDER",
        )  # fmt: skip


def memory_size() -> int:
    """Return the bytes of memory of this machine, or 0 where that cannot be told."""
    if sys.platform == "win32":

        class Status(ctypes.Structure):
            _fields_ = [  # the layout of MEMORYSTATUSEX
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                ("total", ctypes.c_ulonglong),
                ("rest", ctypes.c_ulonglong * 6),
            ]

        status = Status(length=ctypes.sizeof(Status))
        return int(status.total) if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else 0
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0


def _gpu(store: Store) -> Iterator[Finding]:
    cards = _nvidia()
    wanted = store.settings.profile == "gpu"
    if not cards and not (sys.platform == "darwin" and platform.machine() == "arm64"):
        yield Finding(
            "machine", "gpu", Health.NOTE if wanted else Health.OK, "none found; everything runs on the processor",
            "assistant config set profile embedded" if wanted else "",
        )  # fmt: skip
        return
    name = ", ".join(cards) or "Apple silicon"
    if importlib.util.find_spec("torch") is None:
        detail, mend = f"{name}; not used, torch is not installed", 'pip install "local-assistant[gpu]"'
        yield Finding("machine", "gpu", Health.FAIL if wanted else Health.NOTE, detail, mend)
        return
    import torch

    usable = torch.cuda.is_available() if cards else torch.backends.mps.is_available()
    if usable:
        yield Finding("machine", "gpu", Health.OK, f"{name}; torch {torch.__version__} can use it")
    else:
        detail = f"{name}; torch {torch.__version__} cannot use it"
        mend = "pip install --force-reinstall torch, in the build for this driver (see pytorch.org)"
        yield Finding("machine", "gpu", Health.NOTE, detail, mend)


def _nvidia() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def _devices() -> Iterator[Finding]:
    try:
        devices = importlib.import_module("sounddevice").query_devices()
    except OSError:  # the wheel for Linux brings no PortAudio of its own
        mend = {"linux": "sudo apt install libportaudio2", "darwin": "brew install portaudio"}.get(sys.platform, "")
        yield Finding("device", "sound", Health.NOTE, "the PortAudio library is missing; sound files still work", mend)
    except ModuleNotFoundError:
        yield Finding("device", "sound", Health.NOTE, "sounddevice is not installed", "pip install sounddevice")
    else:
        for name, key in (("microphone", "max_input_channels"), ("loudspeaker", "max_output_channels")):
            there = [device["name"] for device in devices if device[key] > 0]
            health = Health.OK if there else Health.NOTE
            yield Finding("device", name, health, ", ".join(there) or "none; plug one in, or use sound files")
    if sys.platform == "linux":
        cameras = sorted(str(path) for path in Path("/dev").glob("video*"))
        closed = [camera for camera in cameras if not os.access(camera, os.R_OK | os.W_OK)]
        if closed:
            mend = "sudo usermod -aG video $USER, then log in again"
            yield Finding("device", "camera", Health.NOTE, f"no leave to open {', '.join(closed)}", mend)
        else:
            health = Health.OK if cameras else Health.NOTE
            detail = ", ".join(cameras) or "none; plug one in, or give pictures with --image"
            yield Finding("device", "camera", health, detail)
    else:
        yield Finding("device", "camera", Health.OK, "looked for when it is first needed; the system may ask for leave")


def _idle(section: object) -> bool:
    """Whether what a section sets is switched off, whatever its engine."""
    match section:
        case WakeSettings(enabled=False) | DrawSettings(model=""):
            return True
    return False


def selected(store: Store, plugins: Plugins) -> list[tuple[str, str]]:
    """Return kind and name of every engine that the settings in force ask for."""
    engines = []
    for field in fields(store.settings):
        section = getattr(store.settings, field.name)
        if _idle(section):
            continue
        one = engine_of(section) if isinstance(section, SoundsSettings) else getattr(section, "engine", "")
        for engine in (one, *getattr(section, "engines", ())):
            if engine and engine != "off":
                kinds = KINDS.get(field.name, (field.name,))
                engines.append(
                    (next((kind for kind in kinds if (kind, engine) in plugins.backends), kinds[-1]), engine)
                )
    return engines


def _libraries(store: Store, plugins: Plugins) -> Iterator[Finding]:
    chosen = selected(store, plugins)
    wanted: dict[str, tuple[bool, Backend]] = {}
    for key, backend in plugins.backends.items():
        for library in backend.libraries:
            needed = key in chosen
            if library not in wanted or needed:
                wanted[library] = (needed, backend)
    distributions = importlib.metadata.packages_distributions()
    for library, (needed, backend) in sorted(wanted.items()):
        mend = f'pip install "local-assistant[{backend.extra}]"' if backend.extra else "pip install local-assistant"
        if not _installed(library):
            health = Health.FAIL if needed else Health.NOTE
            yield Finding("library", library, health, f"not installed; for {backend.kind} {backend.name}", mend)
            continue
        versions = {importlib.metadata.version(name) for name in distributions.get(library.partition(".")[0], ())}
        version = ", ".join(sorted(versions)) or "installed"
        if needed and (problem := _imports(library)):
            yield Finding("library", library, Health.FAIL, f"{version} cannot be loaded: {problem}", mend)
        else:
            yield Finding("library", library, Health.OK, version)


def _installed(library: str) -> bool:
    try:
        return importlib.util.find_spec(library) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False


def _imports(library: str) -> str:
    """Return why a library cannot be imported, or an empty text."""
    try:
        importlib.import_module(library)
    except (ImportError, OSError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""


def _models(store: Store) -> Iterator[Finding]:
    for entry in store.entries():
        name = entry.model.id
        if entry.condition is Condition.READY:
            problem = store.check(name) if entry.needed else ""
            detail = problem or f"{entry.model.title or entry.model.task}, {entry.model.licence}"
            health = Health.FAIL if problem else Health.OK
            yield Finding("model", name, health, detail, f"assistant models pull {name}" if problem else "")
        elif entry.needed or entry.condition is Condition.DAMAGED:
            health = Health.FAIL if entry.needed else Health.NOTE
            detail = entry.problem or f"{entry.condition} ({entry.model.size / 1e6:,.0f} MB)"
            yield Finding("model", name, health, detail, f"assistant models pull {name}")


def _languages(store: Store, plugins: Plugins) -> Iterator[Finding]:
    """Yield who speaks each language in which requests are known, but for those of the usual voice."""
    voice = store.settings.voice
    usual = store.manifest.models.get(voice.model)
    for language in LANGUAGES:
        if (usual is not None and language in usual.languages) or not any(
            ("voice", engine) in plugins.backends for engine in voice.others
        ):
            continue
        try:
            made = voice_of(
                language,
                store.settings,
                lambda settings: plugins.make("voice", settings.voice.engine, store, settings=settings),
            )
        except SettingError as error:
            yield Finding("language", language, Health.NOTE, str(error), espeak.INSTALL.get(sys.platform, ""))
        else:
            yield Finding("language", language, Health.OK, f"spoken by {getattr(made, 'name', 'a voice')}")


def _stages(store: Store, plugins: Plugins) -> Iterator[Finding]:
    made: dict[str, object] = {}
    for kind, name in selected(store, plugins):
        started = time.monotonic()
        try:
            made[kind] = plugins.make(kind, name, store)
        except (AssistantError, ImportError, OSError, RuntimeError, ValueError) as error:
            yield Finding("stage", f"{kind} {name}", Health.FAIL, str(error).splitlines()[0] if str(error) else "fails")
            continue
        yield Finding("stage", f"{kind} {name}", Health.OK, f"loaded in {time.monotonic() - started:.1f} s")
    if "voice" in made and "asr" in made:
        yield _tried("hears its own voice", lambda: _hears(made["voice"], made["asr"]))
    if "eyes" in made:
        yield _tried("looks at the sample photo", lambda: _sees(store, made["eyes"]))


def _tried(name: str, trial: Callable[[], str]) -> Finding:
    try:
        return Finding("stage", name, Health.OK, trial())
    except (AssistantError, OSError, RuntimeError, ValueError) as error:
        return Finding("stage", name, Health.FAIL, str(error).splitlines()[0] if str(error) else type(error).__name__)


def _hears(voice: object, recognizer: object) -> str:
    import numpy as np

    from ..stages import Recognizer, Voice
    from ..types import AudioChunk

    assert isinstance(voice, Voice) and isinstance(recognizer, Recognizer)
    chunks = list(voice.speak("The quick brown fox jumps over the lazy dog."))
    sound = AudioChunk(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].rate)
    text = recognizer.transcribe(sound).text
    if "fox" not in text.lower():
        raise ValueError(f"said 'The quick brown fox …' and heard {text!r}")
    return f"heard {text!r}"


def _sees(store: Store, eyes: object) -> str:
    from .. import pictures
    from ..stages import Eyes

    assert isinstance(eyes, Eyes)
    percept = eyes.look(pictures.read(store.require("sample-photo") / "coffee.png"))
    if not percept.labels:
        raise ValueError("saw nothing in the sample photo")
    return f"saw {percept.labels[0].label} ({percept.labels[0].probability:.2f})"
