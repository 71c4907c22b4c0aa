"""Memory that the fuser adds to the eyes: ``python -m benchmarks.fusion_memory PICTURE…``; better several than one."""

import sys
from pathlib import Path

from assistant import pictures
from assistant.cli import App
from assistant.memory import resident_mb


def main() -> None:
    """Look at the pictures without the fuser, then with it; print the difference in MB."""
    app = App()
    frames = [pictures.read(Path(name)) for name in sys.argv[1:]]
    if not frames:
        sys.exit("give one picture at least: python -m benchmarks.fusion_memory photo.jpg")
    percepts = [app.kit.eyes.look(frame) for frame in frames]
    before = resident_mb()
    fuser = app.make("fuser", "grid")
    for frame, percept in zip(frames, percepts, strict=True):
        fuser.answer(fuser.read(frame, percept), "What is on the table?")
    print(f"before {before:.0f} MB, added {resident_mb() - before:.0f} MB")


if __name__ == "__main__":
    main()
