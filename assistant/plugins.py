"""Find plugins, and make stages and tools from what they register.

Built-in backends (``assistant.backends``), the files in ``plugins/``, the files in
the user's plugin folder and installed packages with an ``assistant`` entry point
all come in through the hooks of :mod:`assistant.hookspecs`.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from . import hookspecs
from .config import Settings, user_folder
from .errors import ExtraMissing, PluginError, SettingError, nearest
from .happening import News
from .hookspecs import Backend

if TYPE_CHECKING:
    from .store import Store
    from .tools import Tool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin, and why it is not in use where it is not."""

    name: str
    origin: str
    problem: str = ""


class Plugins:
    """All plugins of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.found: list[Found] = []
        self.news = News()
        self._manager = pluggy.PluginManager("assistant")
        self._manager.add_hookspecs(hookspecs)
        self._manager.register(importlib.import_module("assistant.backends"), "backends")
        for path in self._files():
            self._register(path)
        self._entry_points()

    def _files(self) -> list[Path]:
        shipped = Path(__file__).parent / "plugins"
        folders = [shipped if shipped.is_dir() else Path(__file__).parent.parent / "plugins"]
        folders.append(Path(self.settings.plugins.folder or user_folder() / "plugins").expanduser())
        return [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("[!_]*.py"))]

    def _register(self, path: Path) -> None:
        name = path.stem
        if name in self.settings.plugins.disabled:
            self.found.append(Found(name, str(path), "disabled by plugins.disabled"))
            return
        if self._manager.has_plugin(name):
            self.found.append(Found(name, str(path), "another plugin has this name"))
            return
        try:
            module = _load(path)
            self._manager.register(module, name)
            self.found.append(Found(name, str(path)))
        except Exception as error:  # a plugin is anybody's code: whatever it raises must not end the assistant
            self.found.append(Found(name, str(path), f"{type(error).__name__}: {error}"))

    def _entry_points(self) -> None:
        for disabled in self.settings.plugins.disabled:
            self._manager.set_blocked(disabled)
        before = set(self._manager.list_name_plugin())
        try:
            self._manager.load_setuptools_entrypoints("assistant")
        except Exception as error:  # as above
            self.found.append(Found("entry points", "installed packages", f"{type(error).__name__}: {error}"))
        for name, module in set(self._manager.list_name_plugin()) - before:
            if module is not None:
                self.found.append(Found(name, getattr(module, "__name__", str(module))))

    @cached_property
    def backends(self) -> dict[tuple[str, str], Backend]:
        """Every backend by (kind, name)."""
        every = [backend for group in self._manager.hook.assistant_backends() for backend in group]
        return {(backend.kind, backend.name): backend for backend in every}

    @cached_property
    def tools(self) -> dict[str, Tool]:
        """Every tool by name."""
        from .tools import Tool

        made: dict[str, Tool] = {}
        plugins = self._manager.list_name_plugin()
        for name, module in reversed(plugins):  # the last one that came may replace a tool of those before
            others = [other for _, other in plugins if other is not module]
            hook = self._manager.subset_hook_caller("assistant_tools", others)
            try:
                groups = hook(settings=self.settings, news=self.news)
                tools = [Tool.of(function) for group in groups for function in group]
            except Exception as error:  # as above
                self._fault(name, error)
                continue
            for tool in tools:
                made.setdefault(tool.name, tool)
        return made

    def _fault(self, name: str, error: Exception) -> None:
        """Tell that a plugin brings no tools, and why."""
        problem = f"{type(error).__name__}: {error}"
        log.warning("the plugin %s brings no tools (%s); see: assistant plugins", name, problem)
        self.found = [replace(found, problem=problem) if found.name == name else found for found in self.found]

    def backend(self, kind: str, name: str) -> Backend:
        """Return one backend, or raise :class:`SettingError` with the nearest name."""
        try:
            return self.backends[kind, name]
        except KeyError:
            known = [known for of, known in self.backends if of == kind]
            raise SettingError(f"there is no {kind} engine {name!r}{nearest(name, known)}") from None

    def make(self, kind: str, name: str, store: Store, *more: Any, settings: Settings | None = None) -> Any:
        """Make a stage as the usual settings ask for, or others; ``more`` is handed on to its factory.

        Raises :class:`ExtraMissing` where its library is not installed.
        """
        backend = self.backend(kind, name)
        module, _, attribute = backend.factory.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)(settings or self.settings, store, *more)
        except ModuleNotFoundError as error:
            if backend.extra is None or (error.name or "").startswith("assistant"):
                raise
            raise ExtraMissing(error.name or name, backend.extra) from error


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"assistant_plugin_{path.stem}", path)
    if spec is None or spec.loader is None or not os.access(path, os.R_OK):
        raise PluginError(f"cannot read {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module
