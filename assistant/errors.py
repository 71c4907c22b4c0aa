"""The error tree. Every message is one line that says what is wrong and what to do.

::

    AssistantError            exit code 1
    ├── InputError            a file, picture or text that cannot be used (exit code 2)
    ├── SettingError          an unknown or ill-typed setting (exit code 2)
    ├── ModelError            a model that is missing, broken or does not fit
    │   ├── Interrupted       a reading or reply that was cancelled on purpose
    │   └── OfflineError      a model is missing and the network is forbidden
    ├── DeviceError           a microphone, loudspeaker or camera that is absent or was unplugged
    ├── HistoryError          the record of past conversations cannot be read or written
    ├── ExtraMissing          an optional library is not installed; names the extra
    ├── DownloadError         network, disk or checksum
    ├── PluginError           a plugin or tool that cannot be loaded
    └── TrainingError         a training run that had to stop; says what was kept
"""

from __future__ import annotations

__all__ = [
    "AssistantError",
    "DeviceError",
    "DownloadError",
    "ExtraMissing",
    "HistoryError",
    "InputError",
    "Interrupted",
    "ModelError",
    "OfflineError",
    "PluginError",
    "SettingError",
    "TrainingError",
    "nearest",
]


class AssistantError(Exception):
    """Base of all errors that are told to the user in one line."""

    exit_code = 1


class InputError(AssistantError):
    """A file, picture or text that cannot be used."""

    exit_code = 2


class SettingError(AssistantError):
    """An unknown or ill-typed setting."""

    exit_code = 2


class ModelError(AssistantError):
    """A model that is missing, broken or does not fit."""


class Interrupted(ModelError):
    """A reading or reply that was cancelled on purpose."""


class OfflineError(ModelError):
    """A model is missing and the network is forbidden."""


class DeviceError(AssistantError):
    """A microphone, loudspeaker or camera that is absent or was unplugged."""


class HistoryError(AssistantError):
    """The record of past conversations cannot be read or written."""


class ExtraMissing(AssistantError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f'{library} is not installed; run: pip install "local-assistant[{extra}]"')
        self.library, self.extra = library, extra


class DownloadError(AssistantError):
    """Network, disk or checksum."""


class PluginError(AssistantError):
    """A plugin or tool that cannot be loaded."""


class TrainingError(AssistantError):
    """A training run that had to stop; says what was kept."""


MOST_LISTED = 40
"""Known names that an error lists."""


def nearest(name: str, known: list[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known name, or the list of all that are known, if any."""
    import difflib

    if not known:
        return ""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    listed = ", ".join(sorted(known)[:MOST_LISTED]) + (", …" if len(known) > MOST_LISTED else "")
    return f"; did you mean {close[0]!r}?" if close else f"; known: {listed}"
