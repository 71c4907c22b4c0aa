"""Files from the publisher's repository over HTTPS, taken up again where a download broke off."""

from __future__ import annotations

import functools
import http.client
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from ..errors import DownloadError
from .digest import BLOCK

log = logging.getLogger(__name__)

PROBE = 3.0
"""Seconds in which a hub must answer at all."""
PATIENCE = 30.0
"""Seconds without a byte after which a connection counts as broken."""
TRIES = 4


@functools.cache
def reachable(endpoint: str) -> bool:
    """Whether the hub answers within :data:`PROBE` seconds; asked once per process."""
    answered = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=PROBE):
                answered.set()
        except urllib.error.HTTPError:
            answered.set()  # it answers, if only to say that it has nothing under this address
        except (OSError, http.client.HTTPException, ValueError) as error:
            log.info("%s does not answer: %s", endpoint, error)

    # Looking up a name has no time limit of its own, so the question is put in a thread that may be left behind.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE)
    return answered.is_set()


def fetch(url: str, target: Path, size: int, advance: Callable[[int], None], stop: threading.Event) -> None:
    """Write the bytes of ``url`` to ``target``, going on after those that are there already.

    ``advance`` is told the number of bytes that are there. Raises :class:`DownloadError` when
    the hub refuses, or breaks off :data:`TRIES` times in a row without one new byte.
    """
    tries = 0
    while True:
        have = target.stat().st_size if target.exists() else 0
        if size and have > size:
            target.unlink()
            have = 0
        if size and have == size:
            return
        try:
            _stream(url, target, have, advance, stop)
            if not size or target.stat().st_size == size:
                return
            problem = f"it ended after {target.stat().st_size} of {size} bytes"
        except urllib.error.HTTPError as error:
            if error.code == 416 or error.code not in (408, 425, 429, 500, 502, 503, 504):
                raise DownloadError(f"{url} answers {error.code} {error.reason}") from error
            problem = f"{error.code} {error.reason}"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            problem = str(error) or type(error).__name__
        if stop.is_set():
            raise DownloadError(f"{url}: stopped")
        now = target.stat().st_size if target.exists() else 0
        tries = tries + 1 if now <= have else 1
        if tries >= TRIES:
            raise DownloadError(f"{url} broke off {tries} times: {problem}")
        log.info("%s broke off (%s); going on at byte %d", url, problem, now)
        stop.wait(0.2 * 2**tries)


def _stream(url: str, target: Path, have: int, advance: Callable[[int], None], stop: threading.Event) -> None:
    headers = {"User-Agent": "local-assistant", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=PATIENCE) as answer:
        if answer.status != 206:
            have = 0
        told = 0.0
        with target.open("ab" if have else "wb") as file:
            while block := answer.read(BLOCK // 4):
                file.write(block)
                have += len(block)
                if time.monotonic() - told > 0.1:
                    told = time.monotonic()
                    advance(have)
                if stop.is_set():
                    return
        advance(have)
