"""Settings: TOML profiles, the user's own file, the environment, the command line; later wins.

Every setting has one home below. An unknown or ill-typed key is a
:class:`~assistant.errors.SettingError` that gives its full name, where it stands,
and the nearest valid name.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from . import output
from .errors import SettingError, nearest

SECRETS = frozenset({"ASSISTANT_BRAIN_KEY", "ASSISTANT_REALTIME_KEY"})
"""Environment variables that no file and no command line may hold; each is read where it is needed only."""


@dataclass(frozen=True)
class StoreSettings:
    """Where models live."""

    path: str = ""
    """Folder of the model store; empty: the platform's data folder."""
    offline: bool = False
    """Never use the network (also: ASSISTANT_OFFLINE=1)."""
    prefer: str = "hub"
    """Which kind of source to try first: "hub" or "registry"; the other is tried next."""
    download: bool = True
    """Fetch a missing model when it is first needed."""


@dataclass(frozen=True)
class AudioSettings:
    """Microphone and loudspeaker."""

    input: str = ""
    """Microphone: a device name or number, or a sound file; empty: the system's default."""
    output: str = ""
    """Loudspeaker: a device name or number, or a file to write; empty: the system's default."""
    volume: float = 1.0
    """Loudness of the voice, 0 to 2."""
    earcons: bool = True
    """Short sounds that say: I listen, I think, something is wrong, I sleep."""


@dataclass(frozen=True)
class CameraSettings:
    """The camera."""

    source: str = "auto"
    """A number, a video, picture or folder, an RTSP or HTTP URL; "auto": the first camera; "off"."""


@dataclass(frozen=True)
class VadSettings:
    """Voice activity."""

    engine: str = "silero"
    threshold: float = 0.5
    """Probability from which a chunk counts as speech."""
    silence: float = 0.6
    """Seconds of quiet that end a turn where no turn detector decides."""
    padding: float = 0.2
    """Seconds kept before and after speech."""


@dataclass(frozen=True)
class AsrSettings:
    """Speech to text."""

    engine: str = "faster-whisper"
    model: str = "faster-whisper-base"
    quick: str = "faster-whisper-tiny.en"
    """A smaller English model that reads live speech once it is known to be English; empty: none."""
    language: str = "auto"
    """ISO 639-1 code, or "auto"."""
    beam: int = 5
    """Beam width for recordings; 1 is greedy."""
    live_beam: int = 1
    """Beam width in the live conversation."""
    translate: bool = False
    """Translate what is heard into English."""
    short_context: bool = True
    """In the live conversation, encode what was spoken and some silence, not Whisper's 30 seconds: twice as fast."""
    threads: int = 0
    """0: as many as there are cores."""
    precision: str = "auto"
    """Arithmetic of faster-whisper: "int8", "float16", "float32"; "auto": int8 on a processor, float16 on CUDA."""


@dataclass(frozen=True)
class SoundsSettings:
    """What is heard beside the words: what a sound is, or how something is said."""

    model: str = ""
    """A checkpoint of `assistant fusion train`, or an audio classifier: a folder, an id of the store, or owner/name of
    the hub; empty: only words are heard."""
    engine: str = ""
    """"head" or "transformers"; empty: "head" for a .safetensors file, else "transformers"."""


@dataclass(frozen=True)
class EyesSettings:
    """Picture encoder."""

    engine: str = "efficientnet"
    model: str = "efficientnet-lite2"
    captioner: str = ""
    """A vision-encoder-decoder model that writes captions: a folder, an id of the store, or owner/name of the hub."""


@dataclass(frozen=True)
class FusionSettings:
    """What the picture's features become before the language model reads them."""

    engine: str = "off"
    """"grid" for the trained heads that ship, "off" for labels only."""
    checkpoint: str = ""
    """A fusion checkpoint of your own, or a folder of them; each replaces the one that ships for its task."""


@dataclass(frozen=True)
class BrainSettings:
    """Language model."""

    engine: str = "llama"
    """"llama" or "transformers"; "vision": a vision-language model; "server": an OpenAI-compatible server."""
    url: str = ""
    """Address of the server, as in "http://127.0.0.1:8080"; its key stands in ASSISTANT_BRAIN_KEY."""
    model: str = "qwen2.5-coder-1.5b-instruct-q4_k_m"
    context: int = 4608
    """Positions in the cache."""
    max_tokens: int = 200
    """Longest reply."""
    temperature: float = 0.0
    """0 is greedy."""
    threads: int = 0
    """0: as many as there are cores."""
    gpu_layers: int = -1
    """Layers on the GPU where there is one; -1: all."""
    instructions: str = ""
    """Put after the built-in system prompt."""
    brief: bool = True
    """Read ChatML without the end of a question and without a line before its reply: the first word comes sooner."""


@dataclass(frozen=True)
class VoiceSettings:
    """Text to speech."""

    engine: str = "piper"
    model: str = "piper-en_US-joe-medium"
    language: str = ""
    """Language of the replies, ISO 639-1; empty: the voice's own, or for pico and espeak that of asr.language."""
    others: tuple[str, ...] = ("pico", "espeak")
    """Engines that speak what the voice does not, in the order in which they are asked; none: the voice speaks it."""
    speed: float = 1.0
    """1.5 is half as fast again."""


@dataclass(frozen=True)
class TurnSettings:
    """Whose turn it is in a live conversation."""

    engines: tuple[str, ...] = ("smart-turn", "words")
    """Turn detectors whose judgements are put together; none: silence alone decides (vad.silence)."""
    quick: float = 0.25
    """Seconds of quiet that end a turn which is surely finished."""
    patient: float = 1.8
    """Seconds of quiet that end a turn which seems unfinished."""
    interrupt: float = 0.7
    """Seconds of speech that interrupt a reply whatever the words."""


@dataclass(frozen=True)
class TalkSettings:
    """The live conversation."""

    echo: str = "webrtc"
    """Echo canceller; "off": with headphones."""
    partials: float = 0.6
    """Seconds of new speech after which the words so far are read again."""
    ahead: bool = True
    """Think of the reply while it is not yet certain that the person has finished."""


@dataclass(frozen=True)
class WakeSettings:
    """Waiting for a wake word."""

    enabled: bool = False
    """Sleep until the wake word is heard."""
    engine: str = "micro"
    """"micro": small networks for a few words; "phrase": any words, by the recogniser."""
    words: tuple[str, ...] = ("hey_jarvis",)
    """Words that wake it, any of them."""
    threshold: float = 0.0
    """How sure the engine must be, 0 to 1; 0: as sure as the engine holds right."""
    sleep_after: float = 30.0
    """Seconds without conversation after which it sleeps again."""


@dataclass(frozen=True)
class HistorySettings:
    """The record of past conversations."""

    enabled: bool = True
    """Keep what was said in `assistant talk`."""
    path: str = ""
    """The file; empty: ``history.sqlite`` in the platform's data folder."""
    keep_media: bool = False
    """Keep the recording and the picture of every question, too."""


@dataclass(frozen=True)
class TranslationSettings:
    """Text from one language into another."""

    model: str = ""
    """A Marian, NLLB or M2M-100 model: a folder, an id of the store, or owner/name of the hub; empty: the brain."""


@dataclass(frozen=True)
class DrawSettings:
    """Pictures drawn from words."""

    engine: str = "diffusers"
    model: str = ""
    """A text-to-image pipeline: a folder, an id of the store, or owner/name of the hub; empty: nothing is drawn."""
    steps: int = 0
    """Steps a picture takes; 0: as many as the pipeline holds right, often 50."""
    size: int = 0
    """Pixels of each side, a multiple of 8; 0: the model's own."""
    guidance: float = 0.0
    """How closely it keeps to the words; 0: as the pipeline holds right; 1: unguided, as turbo models want it."""
    folder: str = ""
    """Where pictures without a name of their own go; empty: ``assistant`` in the user's folder of pictures."""


@dataclass(frozen=True)
class PluginSettings:
    """Plugins and tools."""

    folder: str = ""
    """A folder with more plugins; empty: ``plugins`` in the platform's config folder."""
    disabled: tuple[str, ...] = ()
    """Names of plugins that are not loaded."""
    timeout: float = 5.0
    """Seconds a tool may take."""


@dataclass(frozen=True)
class Settings:
    """All settings."""

    profile: str = "default"
    store: StoreSettings = field(default_factory=StoreSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    vad: VadSettings = field(default_factory=VadSettings)
    asr: AsrSettings = field(default_factory=AsrSettings)
    sounds: SoundsSettings = field(default_factory=SoundsSettings)
    eyes: EyesSettings = field(default_factory=EyesSettings)
    fusion: FusionSettings = field(default_factory=FusionSettings)
    brain: BrainSettings = field(default_factory=BrainSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    turn: TurnSettings = field(default_factory=TurnSettings)
    talk: TalkSettings = field(default_factory=TalkSettings)
    wake: WakeSettings = field(default_factory=WakeSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    translation: TranslationSettings = field(default_factory=TranslationSettings)
    draw: DrawSettings = field(default_factory=DrawSettings)
    plugins: PluginSettings = field(default_factory=PluginSettings)


RANGES: dict[str, tuple[float, float]] = {
    "audio.volume": (0.0, 2.0),
    "vad.threshold": (0.2, 0.95),  # speech that has begun goes on down to 0.15 below it
    "vad.silence": (0.05, 10.0),
    "vad.padding": (0.0, 5.0),
    "asr.beam": (1, math.inf),
    "asr.live_beam": (1, math.inf),
    "asr.threads": (0, math.inf),
    "brain.context": (256, math.inf),
    "brain.max_tokens": (1, math.inf),
    "brain.temperature": (0.0, math.inf),
    "brain.threads": (0, math.inf),
    "brain.gpu_layers": (-1, math.inf),
    "voice.speed": (0.1, 10.0),
    "turn.quick": (0.05, 10.0),
    "turn.patient": (0.05, 60.0),
    "turn.interrupt": (0.05, 60.0),
    "talk.partials": (0.05, 60.0),
    "wake.threshold": (0.0, 1.0),
    "wake.sleep_after": (1.0, math.inf),
    "plugins.timeout": (0.1, math.inf),
}
"""Least and most that a setting may be; infinite where there is no such bound. No number may be infinite itself."""


def profiles() -> dict[str, Path]:
    """Return the profiles that exist, by name: those that ship and those in the user's folder."""
    found = {}
    for folder in (shipped_config(), user_folder() / "profiles"):
        for path in sorted(folder.glob("*.toml")):
            if path.stem not in ("models", "config"):
                found[path.stem] = path
    return found


def shipped_config() -> Path:
    """Return the folder of the TOML files that ship with the assistant."""
    installed = Path(__file__).parent / "config"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "config"


def user_folder() -> Path:
    """Return the platform's config folder for this user (``ASSISTANT_CONFIG_DIR`` overrides it)."""
    return Path(os.environ.get("ASSISTANT_CONFIG_DIR") or platformdirs.user_config_dir("assistant"))


def user_file() -> Path:
    """Return the path of the user's own settings; it need not exist."""
    return user_folder() / "config.toml"


def load(
    profile: str | None = None,
    overrides: Iterable[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings in force.

    Order, later wins: ``default.toml``, the profile, the user's file,
    ``ASSISTANT_SECTION_KEY`` variables, ``overrides`` such as ``"voice.speed=1.2"``.
    """
    known = profiles()
    user = _parse(user_file()) if user_file().is_file() else {}
    name = profile or environ.get("ASSISTANT_PROFILE") or user.get("profile") or "default"
    if not isinstance(name, str) or name not in known:
        raise SettingError(f"there is no profile {name!r}{nearest(str(name), list(known))}")
    settings = Settings()
    for path in dict.fromkeys((known.get("default"), known[name])):
        if path is not None:
            settings = _apply(settings, _parse(path), str(path), path)
    settings = _apply(settings, user, str(user_file()), user_file())
    for key, value in _environment(environ):
        settings = _set(settings, key, value, f"environment variable ASSISTANT_{key.upper().replace('.', '_')}")
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise SettingError(f"--set takes section.key=value, not {override!r}")
        settings = _set(settings, key.strip(), value.strip(), "--set")
    return dataclasses.replace(settings, profile=name)


def save(key: str, value: str) -> Path:
    """Write one setting into the user's file, after checking it; comments in the file are kept."""
    checked = _set(Settings(), key, value, "config set")
    path = user_file()
    text = path.read_text("utf-8") if path.is_file() else ""
    if key == "profile":
        if value not in profiles():
            raise SettingError(f"there is no profile {value!r}{nearest(value, list(profiles()))}")
        text = _replace_line(text, "", "profile", to_toml(value))
    else:
        section, name = key.split(".")
        text = _replace_line(text, section, name, to_toml(getattr(getattr(checked, section), name)))
    tomllib.loads(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    with output.whole(path) as partial:
        partial.write_text(text, "utf-8")
    return path


def flatten(settings: Settings) -> dict[str, Any]:
    """Return ``{"asr.model": "…", …}``."""
    flat: dict[str, Any] = {"profile": settings.profile}
    for section in dataclasses.fields(settings):
        value = getattr(settings, section.name)
        if dataclasses.is_dataclass(value):
            flat |= {f"{section.name}.{f.name}": getattr(value, f.name) for f in dataclasses.fields(value)}
    return flat


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise SettingError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: {error}") from error


def _apply(settings: Settings, table: Mapping[str, Any], origin: str, path: Path) -> Settings:
    for section, values in table.items():
        if section == "profile":
            continue
        keys = values.items() if isinstance(values, Mapping) else [("", values)]
        for name, value in keys:
            key = f"{section}.{name}" if name else section
            settings = _set(settings, key, value, f"{origin}, line {_line(path, section, name)}")
    return settings


def _line(path: Path, section: str, name: str) -> int:
    """Return the line of a key in a TOML file, 1-based, for the error message."""
    current = ""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if match := re.match(r"\s*\[([^\]]+)\]", line):
            current = match[1].strip()
            if current == section and not name:
                return number
        elif current == (section if name else "") and re.match(rf"\s*{re.escape(name or section)}\s*=", line):
            return number
    return 1


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if environ.get("ASSISTANT_OFFLINE"):
        yield "store.offline", environ["ASSISTANT_OFFLINE"]
    sections = {f.name for f in dataclasses.fields(Settings)} - {"profile"}
    for variable in sorted(set(environ) - SECRETS):
        section, _, name = variable.removeprefix("ASSISTANT_").lower().partition("_")
        if variable.startswith("ASSISTANT_") and section in sections and name:
            yield f"{section}.{name}", environ[variable]


def _set(settings: Settings, key: str, value: object, origin: str) -> Settings:
    if key == "profile":
        return settings
    section, _, name = key.partition(".")
    sections = {f.name: f for f in dataclasses.fields(Settings) if f.name != "profile"}
    every = [known for known in flatten(Settings())]
    if section not in sections or not name:
        raise SettingError(f"{origin}: there is no setting {key!r}{_suggest(key, every)}")
    old = getattr(settings, section)
    hints = typing.get_type_hints(type(old))
    if name not in hints:
        raise SettingError(f"{origin}: there is no setting {key!r}{_suggest(key, every)}")
    coerced = _coerce(value, hints[name], key, origin)
    if isinstance(coerced, int | float):
        _check_range(coerced, key, origin)
    return dataclasses.replace(settings, **{section: dataclasses.replace(old, **{name: coerced})})


def _suggest(key: str, every: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(key, every, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else "; `assistant config show` lists all settings"


def _coerce(value: object, kind: Any, key: str, origin: str) -> object:
    """Return ``value`` as ``kind``; text (from the environment or the command line) is parsed."""
    if typing.get_origin(kind) is types.UnionType:
        kind = next(option for option in typing.get_args(kind) if option is not type(None))
    wrong = SettingError(f"{origin}: {key} must be {_names(kind)}, not {value!r}")
    if typing.get_origin(kind) is tuple:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
            raise wrong
        return tuple(value)
    if kind is bool and isinstance(value, str):
        lowered = value.lower()
        if lowered not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
            raise wrong
        return lowered in ("1", "true", "yes", "on")
    numeric = isinstance(value, str) or (kind is float and isinstance(value, int) and not isinstance(value, bool))
    if kind in (int, float) and numeric:
        try:
            return kind(value)
        except (ValueError, OverflowError):
            raise wrong from None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise wrong
    return value


def _check_range(value: float, key: str, origin: str) -> None:
    least, most = RANGES.get(key, (-math.inf, math.inf))
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingError(f"{origin}: {key} must be a finite number, not {value}")
    if not least <= value <= most:
        allowed = f"at least {least:g}" if math.isinf(most) else f"from {least:g} to {most:g}"
        raise SettingError(f"{origin}: {key} must be {allowed}, not {value}")


def _names(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        return "a list of texts"
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[kind]


def to_toml(value: object) -> str:
    """Return a setting as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(to_toml(part) for part in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML escapes DEL, JSON need not
    return repr(value)


def _replace_line(text: str, section: str, name: str, value: str) -> str:
    """Set ``name`` in ``[section]`` (or at the top) of a TOML text, leaving all else as it stands."""
    lines = text.splitlines()
    current, end = "", None if section else 0
    for number, line in enumerate(lines):
        if match := re.match(r"\s*\[([^\]]+)\]", line):
            current = match[1].strip()
        if current == section:
            if re.match(rf"\s*{re.escape(name)}\s*=", line):
                lines[number] = f"{name} = {value}"
                return "\n".join(lines) + "\n"
            if section or not line.lstrip().startswith("["):
                end = number + 1
    if end is None:
        lines += ["", f"[{section}]"] if lines else [f"[{section}]"]
        end = len(lines)
    lines.insert(end, f"{name} = {value}")
    return "\n".join(lines) + "\n"
