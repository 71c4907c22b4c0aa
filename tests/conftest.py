"""What every test may ask for: development data, settings, the model store.

No test reads the user's own settings, history or reminders. The model store is the real one, so that
weights are fetched once and shared.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.store import Store

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("ASSISTANT_TEST_DATA") or ROOT.parent / "shared" / "data")
KEPT = ("ASSISTANT_TEST_DATA", "ASSISTANT_STORE_PATH", "ASSISTANT_OFFLINE", "ASSISTANT_STORE_OFFLINE")


hypothesis.settings.register_profile("untimed", deadline=None)  # no test depends on how fast the machine is
hypothesis.settings.load_profile("untimed")


def hear_interrupts() -> None:
    """Give a child back its SIGINT, which a job in the background of a shell is started without."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(script: str, path: Path) -> tuple[int, str, str]:
    """Run a script until it says that it is inside a long call, send Ctrl-C; return status, output and errors."""
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )
    assert child.stdout is not None and child.stdout.readline() == "inside\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    return child.returncode, out, err


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("ASSISTANT_") and name not in KEPT:
                patch.delenv(name)
        patch.setenv("ASSISTANT_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
        patch.setenv("ASSISTANT_HISTORY_PATH", str(tmp_path_factory.mktemp("history") / "history.sqlite"))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of development data; the test is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no development data at {DATA}; set ASSISTANT_TEST_DATA to its folder")
    return DATA


@pytest.fixture(scope="session")
def settings(_no_settings_of_the_user: None) -> Settings:
    """The settings of the default profile, as a new user has them."""
    from assistant.config import load

    return load()


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """The same with a history of the test's own: what one test lets ring, the thread of an earlier one would tell."""
    from assistant.config import HistorySettings

    return dataclasses.replace(settings, history=HistorySettings(path=str(tmp_path / "own" / "history.sqlite")))


@pytest.fixture(scope="session")
def store(settings: Settings) -> Store:
    """The real model store: ``store.require(model)`` fetches what is missing."""
    from assistant.store import Store

    return Store(settings)
