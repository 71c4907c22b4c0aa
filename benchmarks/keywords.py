"""Fit SAYS and REPEATED of ``assistant/fusion/keywords.py``.

    python -m benchmarks.keywords CAPTIONS

CAPTIONS is a folder with an index.jsonl of pictures with five captions. Of its training pictures those are taken that
captioner and encoder held back. One to three captions are the text; the share of the others that hold a word of the
text is what its weight should be. Both constants minimise the cross-entropy; printed are the fit, the calibration with
the constants in force, and how well each joining of picture and text ranks the words (average precision).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.cli import App
from assistant.evaluation.keywords import agreed, measure
from assistant.fusion import content, heads
from assistant.fusion.data import Example, hold, read, split
from assistant.fusion.encoders import EyesEncoder
from assistant.fusion.features import Features
from assistant.fusion.keywords import REPEATED, SAYS, Lexicon, extract, seen
from assistant.fusion.retrieval import DualEncoder
from assistant.fusion.visual import VisualWords

Rows = NDArray[np.float64]
"""Of each word of a text: share by the picture, usual share, what the picture has against it, inverse document
frequency, logarithm of its count, share of the other captions with it; (words, 6)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="CAPTIONS")
    given = parser.parse_args()
    app = App()
    settings = app.settings
    caption, retrieval = heads.find(settings, "caption"), heads.find(settings, "retrieval")
    encoder = DualEncoder.of(retrieval, app.store)
    visual = VisualWords.of(caption.arrays, caption.extras["visual_words"])
    training = split(read([given.data]), 0.1)[0]
    # 0.05: options.calibrate of both checkpoints, which do not name it where it is the default.
    held = hold(training, float(retrieval.config.options.get("calibrate", 0.05)), retrieval.config.training.seed)[0]
    features, lexicon = Features(EyesEncoder(app.kit.eyes)), Lexicon.of(encoder)
    features.fill([example.image for example in held if example.image])
    pictures = [seen(visual, encoder, features.batch([e.image])[0]) for e in held if e.image]
    for size in (1, 2, 3):
        table = rows(held, pictures, lexicon, size)
        print(f"{size} of 5 captions as the text: {fit(table)}")
    calibration(rows(held, pictures, lexicon, 1))
    rank(held, pictures, lexicon)


def rows(held: list[Example], pictures: list[dict[str, float]], lexicon: Lexicon, size: int) -> Rows:
    found = []
    for example, picture in zip(held, pictures, strict=True):
        captions = [spoken(caption, lexicon) for caption in example.captions]
        for chosen in combinations(range(len(captions)), size):
            text = [word for number in chosen for word in captions[number]]
            others = [set(words) for number, words in enumerate(captions) if number not in chosen]
            for word in dict.fromkeys(text):
                share, usual = picture.get(word, 0.0), lexicon.share(word)
                against = min(0.0, float(logit(share) - logit(usual))) if word in picture else 0.0
                target = np.mean([word in words for words in others])
                found.append((share, usual, against, lexicon.idf(word), np.log(text.count(word)), target))
    return np.array(found, float)


def spoken(caption: str, lexicon: Lexicon) -> list[str]:
    return [content.singular(word, lexicon.rarity) for word in content.words(caption, lexicon.rarity)[0]]


def weights(table: Rows, says: float, repeated: float) -> Rows:
    share, usual, against, rarity, count, _ = table.T
    text = 1 / (1 + np.exp(-(logit(usual) + against + says * (rarity + repeated * count))))
    result: Rows = 1 - (1 - share) * (1 - text)
    return result


def cross_entropy(table: Rows, says: float, repeated: float) -> float:
    found, true = np.clip(weights(table, says, repeated), 1e-6, 1 - 1e-6), table[:, 5]
    return float(-(true * np.log(found) + (1 - true) * np.log(1 - found)).mean())


def fit(table: Rows) -> str:
    grid = [(s, r) for s in np.arange(0.6, 1.2, 0.05) for r in (np.arange(0, 3.1, 0.5) if table[:, 4].any() else [0])]
    says, repeated = min(grid, key=lambda pair: cross_entropy(table, *pair))
    there = f"SAYS {says:.2f}, REPEATED {repeated:.1f}: {cross_entropy(table, says, repeated):.4f} nats"
    return f"{there} (those in force: {cross_entropy(table, SAYS, REPEATED):.4f})"


def calibration(table: Rows) -> None:
    found = weights(table, SAYS, REPEATED)
    for low in np.arange(0, 1, 0.1):
        chosen = (found >= low) & (found < low + 0.1)
        if chosen.any():
            print(f"  weight {found[chosen].mean():.2f}, share of the others {table[chosen, 5].mean():.2f}")


def rank(held: list[Example], pictures: list[dict[str, float]], lexicon: Lexicon) -> None:
    def joined(number: int, text: str) -> Iterator[str]:
        return (found.word for found in extract(text, pictures[number], lexicon, 10_000, 0.0))

    def product(number: int, text: str) -> Iterator[str]:
        """The sum of log-odds instead: the picture's and what the text adds."""
        scores = {word: float(logit(share)) for word, share in pictures[number].items()}
        for word in spoken(text, lexicon):
            scores[word] = scores.get(word, float(logit(lexicon.share(word)))) + SAYS * lexicon.idf(word)
        return iter(sorted(scores, key=lambda word: -scores[word]))

    systems: dict[str, Callable[[int, str], Iterator[str]]] = {"noisy or": joined, "sum of log-odds": product}
    for name, system in systems.items():
        found = []
        for number, example in enumerate(held):
            for own, text in enumerate(example.captions):
                gold = agreed([c for other, c in enumerate(example.captions) if other != own], lexicon)
                if gold:
                    found.append(measure(list(system(number, text)), gold))
        precision, recall, f1, average = np.mean(found, 0)
        print(f"{name}: AP {average:.3f}, best five: P {precision:.3f} R {recall:.3f} F1 {f1:.3f}")


def logit(share: float | Rows) -> Rows:
    bounded = np.clip(share, 1e-6, 1 - 1e-6)
    result: Rows = np.log(bounded / (1 - bounded))
    return result


if __name__ == "__main__":
    main()
