"""What holds for the package as a whole."""

import inspect
import os
import subprocess
import sys

import pytest

import assistant
from assistant import errors


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_import_is_light_and_silent():
    heavy = ("torch", "onnxruntime", "cv2", "numpy", "transformers", "faster_whisper", "sounddevice")
    result = run(f"import sys, assistant; print([name for name in {heavy} if name in sys.modules])")
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_building_the_command_line_loads_no_engine():
    heavy = (
        "torch",
        "onnxruntime",
        "cv2",
        "transformers",
        "faster_whisper",
        "sounddevice",
        "ik_llama_cpp",
        "xllamacpp",
        "piper",
    )
    result = run(
        f"import sys; from assistant.cli import build; build(); print([n for n in {heavy} if n in sys.modules])"
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", assistant.__all__)
def test_public_names_resolve(name):
    assert getattr(assistant, name) is not None


def test_error_tree_in_the_docstring_is_the_tree():
    classes = [value for value in vars(errors).values() if inspect.isclass(value)]
    assert {cls.__name__ for cls in classes} | {"nearest"} == set(errors.__all__)
    for cls in classes:
        assert cls.__name__ in (errors.__doc__ or "")
        assert issubclass(cls, errors.AssistantError)


def test_every_backend_of_the_list_exists(settings, store):
    import importlib

    from assistant.errors import ExtraMissing
    from assistant.plugins import Plugins

    for backend in Plugins(settings).backends.values():
        module, _, attribute = backend.factory.partition(":")
        try:
            assert callable(getattr(importlib.import_module(module), attribute))
        except (ModuleNotFoundError, ExtraMissing, OSError):
            assert backend.extra is not None or "sounddevice" in backend.libraries


@pytest.mark.parametrize("given, expected", [(None, "4"), ("20", "20")])
def test_numpy_does_not_spin_on_cores_that_others_want_unless_somebody_says_so(given, expected):
    """The setting counts only where it stands before numpy is imported."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_THREAD_TIMEOUT"}
    environment |= {} if given is None else {"OPENBLAS_THREAD_TIMEOUT": given}
    code = "import sys, os, assistant; print(os.environ['OPENBLAS_THREAD_TIMEOUT'], 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [expected, "False"]
