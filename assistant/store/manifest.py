"""What models exist, read from ``models.toml``: the shipped one, and the user's merged over it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from ..config import Settings, flatten, shipped_config, user_folder
from ..errors import ModelError, SettingError, nearest


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model."""

    path: str
    """Relative to the folder of the model, with ``/``."""
    size: int = 0
    """Bytes; 0 where the manifest does not say."""
    sha256: str = ""
    """Hexadecimal digest; empty where the manifest does not say (the user's own models only)."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A repository of the publisher at a pinned revision."""

    repo: str
    revision: str
    folder: str = ""

    def url(self, file: File) -> str:
        """Return the address of a file; ``HF_ENDPOINT`` names another hub than huggingface.co."""
        path = quote("/".join(part for part in (self.folder, file.path) if part))
        return f"{endpoint()}/{self.repo}/resolve/{quote(self.revision)}/{path}"


@dataclass(frozen=True, slots=True)
class Registry:
    """Packages that carry the bytes of a model."""

    packages: tuple[str, ...]
    """``name==version``, in the order in which they are read."""
    members: Mapping[str, tuple[str, ...]]
    """For each file of the model the paths inside the packages, joined in order."""
    python: str = ""
    """The Python version whose build is taken; empty: the one that runs."""
    platform: str = ""
    """The platform whose build is taken; empty: the one that runs."""


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the manifest."""

    id: str
    task: str
    licence: str
    title: str = ""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes; ``*`` is very many; empty where language plays no part."""
    size: int = 0
    """Bytes on disk."""
    memory: int = 0
    """Bytes needed when it is loaded, roughly."""
    files: tuple[File, ...] = ()
    hub: Hub | None = None
    registry: Registry | None = None
    local: Path | None = None
    source: str = ""
    """Id of the model that this one is made from; empty where it is fetched."""
    derive: str = ""
    """``"package.module:function"``, called with the source's folder and an empty folder to fill."""
    edition: int = 1
    """Raised when ``derive`` makes something else than before."""
    extra: str = ""
    """The pip extra that ``derive`` needs."""
    needed_when: tuple[str, ...] = ()


def endpoint() -> str:
    """Return the address of the model hub."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


class Manifest:
    """All known models by id."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = dict(models)

    @classmethod
    def load(cls) -> Manifest:
        """Read the shipped manifest and the user's own."""
        models: dict[str, Model] = {}
        for path in (shipped_config() / "models.toml", user_folder() / "models.toml"):
            if path.is_file():
                models |= parse(path)
        return cls(models)

    def __getitem__(self, model: str) -> Model:
        """Return an entry, or raise :class:`ModelError` with the nearest id."""
        try:
            return self.models[model]
        except KeyError:
            raise ModelError(f"there is no model {model!r}{nearest(model, list(self.models))}") from None

    def __iter__(self) -> Iterator[Model]:
        """Iterate over all entries in the order of the files."""
        return iter(self.models.values())

    def needed(self, settings: Settings) -> list[str]:
        """Return the ids that the settings ask for; what they are made from is not among them.

        Names with a slash are folders or repositories of the hub, and a server has names of its own.
        """
        flat = {key: value if isinstance(value, tuple) else (value,) for key, value in flatten(settings).items()}
        if settings.brain.engine == "server":
            del flat["brain.model"]
        wanted = [
            value
            for key, values in flat.items()
            if key.endswith(("model", "models", "captioner")) or key == "asr.quick"
            for value in values
            if value and "/" not in value
        ]
        for model in self:
            for condition in model.needed_when:
                key, _, value = condition.partition("=")
                if condition == "*" or value in flat.get(key, ()):
                    wanted.append(model.id)
        for model in self:  # a model's run-time form is all that is needed of it
            if model.source in wanted and model.id in wanted:
                wanted.remove(model.source)
        return [self[model].id for model in dict.fromkeys(wanted)]


def parse(path: Path) -> dict[str, Model]:
    """Return the models of one manifest; what is wrong in it is a :class:`SettingError` that names the file."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path}: {error}") from error
    models = {}
    for name, table in tables.items():
        try:
            models[name] = _model(name, table, path.parent)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise SettingError(f"{path}: model {name!r}: {reason}") from error
    return models


def _model(name: str, table: dict[str, Any], folder: Path) -> Model:
    table = dict(table)
    _plain(name)
    files = tuple(File(**file) for file in table.pop("files", ()))
    for file in files:
        _plain(file.path)
    hub = Hub(**table.pop("hub")) if "hub" in table else None
    registry = _registry(table.pop("registry"), files) if "registry" in table else None
    local = folder / Path(table.pop("local")).expanduser() if "local" in table else None
    source = table.pop("from", "")
    if not files and not source:
        raise ValueError("give files, or from and derive")
    if bool(source) != bool(table.get("derive")):
        raise ValueError("from and derive belong together")
    table.setdefault("size", sum(file.size for file in files))
    for key in ("languages", "needed_when"):
        table[key] = tuple(table.get(key, ()))
    table.setdefault("licence", "unknown")
    return Model(id=name, files=files, hub=hub, registry=registry, local=local, source=source, **table)


def _registry(table: dict[str, Any], files: tuple[File, ...]) -> Registry:
    members = {path: (parts,) if isinstance(parts, str) else tuple(parts) for path, parts in table["members"].items()}
    if lacking := {file.path for file in files} - set(members):
        raise ValueError(f"registry.members lacks {', '.join(sorted(lacking))}")
    return Registry(tuple(table["packages"]), members, **table.get("build", {}))


def _plain(path: str) -> None:
    """Refuse a path that leads out of the folder it belongs to."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path or parts[0].startswith("."):
        raise ValueError(f"{path!r} is not a plain relative path")
