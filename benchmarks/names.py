"""How often a thing is called by its name in the language of the question, with the glossary and without it.

::

    python -m benchmarks.names DATA [--most 20]

``DATA`` holds ``naming``. Pictures of which the eyes are sure are asked about in German, French, Spanish and Italian. A
reply names the thing where it holds the beginning of the longest word of the glossary's name, so a right name that is
another one counts as none; what is in which language is guessed by its words.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from pathlib import Path
from unittest.mock import patch

from assistant import pictures
from assistant.ask import Asker, Question
from assistant.cli import App
from assistant.fusion.content import language_of
from assistant.glossary import translate
from assistant.prompt import SURE

ASKED = {
    "de": ("Was ist das?", "Was siehst du?"),
    "fr": ("Qu'est-ce que c'est ?", "Que vois-tu ?"),
    "es": ("¿Qué es esto?", "¿Qué tengo en la mano?"),
    "it": ("Che cos'è questo?", "Cosa ho in mano?"),
}
ENDING = 2
"""Letters of a name that may be others in a sentence."""


def main() -> None:
    """Ask, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--most", type=int, default=20, help="pictures (default: 20)")
    given = parser.parse_args()
    folder: Path = given.data / "naming"
    asker = Asker(App("embedded").kit)
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    random.Random(0).shuffle(rows)
    named: Counter[tuple[str, str]] = Counter()
    spoken: Counter[tuple[str, str]] = Counter()
    asked: Counter[str] = Counter()
    seen = 0
    for row in rows:
        if seen == given.most:
            break
        image = folder / row["image"]
        labels = asker.look(pictures.read(image)).labels
        if not labels or labels[0].probability < SURE:
            continue
        seen += 1
        for language, questions in ASKED.items():
            question = questions[seen % 2]
            beginning = max(re.findall(r"\w+", translate(labels[0].label, language)), key=len)[:-ENDING].lower()
            asked[language] += 1
            for way, found in (("with", translate), ("without", lambda name, language: "")):
                with patch("assistant.prompt.translate", found):
                    reply = asker.ask(Question(text=question, image=image)).reply
                named[way, language] += beginning in reply.lower()
                spoken[way, language] += language_of(reply) == language
    for way in ("without", "with"):
        for language, count in asked.items():
            print(
                f"{way:8} {language}: {count} replies, named {named[way, language] / count:.2f}, "
                f"in the language {spoken[way, language] / count:.2f}"
            )


if __name__ == "__main__":
    main()
