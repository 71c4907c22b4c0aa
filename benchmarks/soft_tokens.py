"""What should a picture become before the language model reads it? Several recipes, one split, one table.

    python -m benchmarks.soft_tokens shared/data/captions --limit 60 --set brain.model=smollm2-135m-instruct-q4_1

Each recipe is put before a caption that a person wrote for the picture (validation split). ``nats`` is the mean loss a
token of that caption; ``gain`` how many nats the recipe saves against no picture; ``told apart`` the share of
pictures whose own caption gains more than a caption of another picture: conditioning that means something, by the
language model's own likelihood.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant import pictures
from assistant.cli import App
from assistant.evaluation import part
from assistant.evaluation.caption import FIELDS, from_labels
from assistant.fusion.connector import EmbeddingConnector, embed
from assistant.fusion.sentences import tokenize
from assistant.stages import Session, SoftTokens
from assistant.types import Percept

BEFORE, AFTER = "The picture shows: ", "\nA caption of this picture: "
Piece = list[int] | SoftTokens
Recipe = Callable[[Percept, Session], list[Piece]]


def text(write: Callable[[Percept], str]) -> Recipe:
    return lambda percept, session: [session.tokenize(write(percept))]


def weighted_mean(percept: Percept, session: Session) -> list[Piece]:
    vectors = np.stack([embed(session, word) for word, _ in percept.words] or [np.zeros(session.dim)])
    weights = np.array([weight for _, weight in percept.words] or [1.0])
    return [SoftTokens(((weights / weights.sum()) @ vectors)[None].astype(np.float32), "mean")]


def slots(connector: EmbeddingConnector) -> Recipe:
    def make(percept: Percept, session: Session) -> list[Piece]:
        soft = connector.soften(percept, session)
        return [] if soft is None else [soft]

    return make


class Ridge:
    """A closed-form fit from mean features to the mean embedding of a picture's captions."""

    def __init__(self, data: Path, app: App, limit: int, strength: float = 300.0) -> None:
        rows = part(data, FIELDS, "train", limit).rows
        self.means = [app.kit.eyes.look(pictures.read(data / row["image"])).features.mean(0) for row in rows]
        self.captions = [row["captions"] for row in rows]
        self.strength = strength
        self._fitted: tuple[NDArray[np.float64], ...] | None = None

    def __call__(self, percept: Percept, session: Session) -> list[Piece]:
        if self._fitted is None:
            self._fitted = self._fit(session)
        mean, deviation, centre, weight = self._fitted
        vector = centre + ((percept.features.mean(0) - mean) / deviation) @ weight
        return [SoftTokens(vector[None].astype(np.float32), "ridge")]

    def _fit(self, session: Session) -> tuple[NDArray[np.float64], ...]:
        x = np.stack(self.means).astype(np.float64)
        y = np.stack(
            [np.mean([embed(session, word) for c in of for word in tokenize(c)], 0) for of in self.captions]
        ).astype(np.float64)
        mean, deviation, centre = x.mean(0), x.std(0) + 1e-6, y.mean(0)
        x = (x - mean) / deviation
        weight = np.linalg.solve(x.T @ x + self.strength * np.eye(x.shape[1]), x.T @ (y - centre))
        return mean, deviation, centre, weight


def loss(session: Session, pieces: list[Piece], tokens: list[int]) -> float:
    """Return the mean loss of ``tokens`` after ``pieces``, in nats."""
    total, said = 0.0, []
    for token in tokens:
        session.sync([*pieces, said] if said else pieces)
        logits = session.logits().astype(np.float64)
        total -= logits[token] - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        said = [*said, token]
    return total / len(tokens)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=60, help="validation pictures")
    parser.add_argument("--ridge", type=int, default=1000, help="training pictures of the closed-form fit")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    arguments = parser.parse_args()
    app = App(overrides=arguments.set)
    session, fuser = app.kit.session, app.make("fuser", "grid")
    rows = part(arguments.data, FIELDS, limit=arguments.limit).rows
    frames = [pictures.read(arguments.data / row["image"]) for row in rows]
    percepts = [fuser.read(frame, app.kit.eyes.look(frame)) for frame in frames]
    recipes: dict[str, Recipe] = {
        "no picture": text(lambda percept: "something"),
        "labels of the eyes as text": text(from_labels),
        "visual words as text": text(lambda percept: ", ".join(word for word, _ in percept.words)),
        "caption as text": text(lambda percept: percept.caption),
        "caption and visual words as text": text(
            lambda percept: f"{percept.caption} {', '.join(word for word, _ in percept.words)}"
        ),
        "weighted mean of visual words, 1 soft token": weighted_mean,
        "ridge to the captions' mean embedding, 1 soft token": Ridge(arguments.data, app, arguments.ridge),
        "visual words, up to 4 soft tokens": slots(EmbeddingConnector(slots=4, caption=False)),
        "visual words, up to 8 soft tokens": slots(EmbeddingConnector(slots=8, caption=False)),
        "caption and visual words as soft tokens (ships)": slots(EmbeddingConnector()),
    }
    table: dict[str, list[tuple[float, float]]] = {}
    for name, recipe in recipes.items():
        table[name] = []
        for number, percept in enumerate(percepts):
            pieces: list[Piece] = [session.tokenize(BEFORE), *recipe(percept, session), session.tokenize(AFTER)]
            own, other = (rows[n % len(rows)]["captions"][0].rstrip(" .") for n in (number, number + 7))
            table[name].append(tuple(loss(session, pieces, session.tokenize(c)) for c in (own, other)))  # type: ignore[arg-type]
        print(json.dumps(row(name, table)), flush=True)
    print(f"\n| {session.name}, {len(rows)} pictures | nats | gain | told apart |\n|---|---|---|---|")
    for name in recipes:
        found = row(name, table)
        print(f"| {name} | {found['nats']:.3f} | {found['gain']:.3f} | {found['told_apart']:.3f} |")


def row(name: str, table: dict[str, list[tuple[float, float]]]) -> dict[str, float | str]:
    """Return the figures of one recipe."""
    losses, nothing = np.array(table[name]), np.array(table["no picture"])
    gains = nothing - losses
    apart = float((gains[:, 0] > gains[:, 1]).mean())
    return {"recipe": name, "nats": losses[:, 0].mean(), "gain": gains[:, 0].mean(), "told_apart": apart}


if __name__ == "__main__":
    main()
