"""Install torch and the libraries above it for the tests, never a CUDA build on a machine without a GPU.

Where no CPU build is to be had, nothing is installed, and the tests that need torch are skipped.
Run by ``make test`` with the Python of the environment; needs the standard library only.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

TORCH = "torch==2.13.0"
"""No extra that the tests install may name torch, or anything that asks for it: pip would take a CUDA build."""
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
ABOVE = ["transformers>=5", "safetensors>=0.5", "matplotlib>=3.8", "accelerate>=1"]
WHISPER = "openai-whisper>=20250625"  # without its dependencies: it asks for triton, 1 GB, and does not need it
WHISPER_NEEDS = ["more-itertools", "numba", "regex", "requests", "tiktoken", "tqdm"]


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip quietly."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def answers(url: str) -> bool:
    """Whether an address answers within three seconds."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=3):
            return True
    except OSError:
        return False


def brings_cuda() -> str:
    """Return why the registry's torch is not wanted here, or an empty text."""
    # Only a pip of 2024 or later reads the dependencies of a package without downloading all of it.
    pip("install", "--upgrade", "pip>=24.1")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = pip("install", "--dry-run", "--report", str(report), TORCH)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        names = [item["metadata"]["name"].lower() for item in json.loads(report.read_text("utf-8"))["install"]]
    cuda = sorted(name for name in names if name.startswith(("nvidia-", "cuda-", "triton")))
    return f"{TORCH} would bring {len(cuda)} CUDA packages" if cuda else ""


def install_torch() -> str:
    """Install torch; return why it was not, or an empty text."""
    gpu = shutil.which("nvidia-smi") is not None
    if not gpu and sys.platform == "linux" and answers(f"{CPU_INDEX}/torch/"):
        done = pip("install", "--index-url", CPU_INDEX, TORCH)
        if done.returncode == 0:
            return ""
    if not gpu and (reason := brings_cuda()):
        return reason
    done = pip("install", TORCH)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["pip failed"])[-1]


def main() -> int:
    """Install what can be had and say what cannot."""
    if importlib.util.find_spec("torch") is None and (reason := install_torch()):
        print(f"no torch for the tests ({reason}); those that need it are skipped", file=sys.stderr)
        return 0
    if subprocess.run([sys.executable, "-c", "import torch"], check=False).returncode:
        print("torch is installed but cannot be imported; see the lines above", file=sys.stderr)
        return 1
    for arguments in ([*ABOVE, *WHISPER_NEEDS], ["--no-deps", WHISPER]):
        if (done := pip("install", *arguments)).returncode:
            print(done.stderr.strip(), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
