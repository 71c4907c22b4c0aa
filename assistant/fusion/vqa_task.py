"""The question task: small networks over a question's words and a picture's scene, and their picture-blind twins.

The scores of networks that see (the product of question and scene, and the scene alone) and of networks that read
the question only are averaged. To them are added what a ridge regression holds to be present, whose targets are all
things that a picture's questions and answers name, and what similar questions about similar pictures were answered
(:mod:`.memory`). The picture-blind baseline is the same without a picture: its networks, and the memory's mean.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ..errors import InputError
from .checkpoint import Arrays
from .config import FusionConfig
from .data import Example
from .layers import Floats, softmax
from .memory import Memory
from .quantised import pack, unpack
from .task import Material, Task
from .views import Views
from .vqa import Balance, Questions, Scenes, kind, present, seen, together, words


@dataclass(frozen=True)
class QuestionOptions(Views):
    """Options of the task; ``model.hidden`` is the networks' width."""

    least: int = 2
    """Questions in which a word or a word pair that is read occurs, and pictures of an answer that is given."""
    components: int = 300
    """Width of the scene vector."""
    ridge: float = 1.0
    """Penalty of the presence regression, on standardised features of about length one."""
    members: int = 2
    """Networks that see, and as many picture-blind ones, which by themselves are the baseline."""
    language: float = 0.4
    presence: float = 0.8
    memory: float = 1.6
    """As in :class:`~.vqa.Balance`. These were set by cross-validation among training pictures; accuracy changes
    by less than 0.005 when any of them is halved."""
    remembered: int = 80
    """Components of the scene vector by which pictures are remembered."""
    questions: int = 5000
    """Most questions that are remembered, drawn from all: fitting the memory takes the cube of their number."""
    calibrate: float = 0.06
    """Share of training pictures that only set the temperature and the bounds of what is familiar."""


class Answering(nn.Module):
    """A question's vector, (batch, grams), and a picture's, (batch, components), to scores, (batch, answers)."""

    def __init__(self, grams: int, components: int, answers: int, hidden: int, dropout: float, sees: bool) -> None:
        super().__init__()
        self.ask, self.from_question = nn.Linear(grams, hidden), nn.Linear(hidden, answers)
        self.drop, self.sees = nn.Dropout(dropout), sees
        if sees:
            self.see, self.from_both = nn.Linear(components, hidden), nn.Linear(2 * hidden, answers, bias=False)

    def forward(self, asked: torch.Tensor, scene: torch.Tensor) -> torch.Tensor:
        """Return the scores before the softmax."""
        hidden = torch.tanh(self.ask(functional.dropout(asked, 0.2, self.training)))
        scores = self.from_question(self.drop(hidden))
        if self.sees:
            seen = torch.tanh(self.see(functional.dropout(scene, 0.3, self.training)))
            joint = self.drop(torch.cat([hidden * seen, seen], -1))
            scores = scores + self.from_both(joint)
        result: torch.Tensor = scores
        return result


class VqaTask(Task):
    """Learns to answer short questions with one of the training answers."""

    name = "vqa"
    watch = "accuracy"

    def __init__(self, config: FusionConfig, material: Material, extras: dict[str, Any] | None = None) -> None:
        super().__init__(config, material, extras)
        self.options = options = config.take(QuestionOptions)
        usable = [e for e in material.train if e.image and e.question and e.answers]
        self.val = [e for e in material.val if e.image and e.question and e.answers]
        pictures = sorted({e.image for e in usable if e.image})
        if not (self.val or config.training.everything) or (len(pictures) < 4 and not extras):
            raise InputError("the vqa task needs examples with 'image', 'question' and 'answers' on both sides")
        generator = np.random.default_rng(config.training.seed)
        held = {
            pictures[i]
            for i in generator.permutation(len(pictures))[: max(1, round(options.calibrate * len(pictures)))]
        }
        self.train, self.held = [e for e in usable if e.image not in held], [e for e in usable if e.image in held]
        if extras:
            self.questions = Questions(tuple(extras["grams"]), np.zeros(len(extras["grams"]), np.float32))
            self.answers = list(extras["answers"])
        else:
            self.questions = Questions.of([e.question for e in self.train], options.least)
            counts = Counter(together(e.answers) for e in self.train)
            self.answers = [answer for answer, count in counts.most_common() if count >= options.least]
        self.number = {answer: number for number, answer in enumerate(self.answers)}
        every = sorted({e.image for e in (*usable, *self.val) if e.image})
        self.row = {path: row for row, path in enumerate(every)}
        self.grids = np.stack([material.features.get(path) for path in every])
        self.means = np.stack([grid.mean(0, dtype=np.float32) for grid in self.grids])
        self.learned = sorted({self.row[e.image] for e in self.train if e.image})
        self.temperature = {"seeing": 1.0, "blind": 1.0}
        self.least_known, self.furthest = 0.0, 1.0
        self.balance = Balance(options.language, options.presence, options.memory)
        if extras:
            self.temperature, self.balance = dict(extras["temperature"]), Balance(**extras["balance"])
            self.least_known, self.furthest = float(extras["least_known"]), float(extras["furthest"])
        else:
            self.scenes = Scenes.of(self.means[self.learned], options.components)
            self._fit_presence()
            self._fit_memory()
            self._prepare()
        torch.manual_seed(config.training.seed)
        components = int(extras["components"]) if extras else len(self.scenes.weight)
        sizes = len(self.questions.names), components, len(self.answers)
        width, dropout = config.model.hidden, config.model.dropout
        self.module = nn.ModuleDict(
            {
                side: nn.ModuleList(Answering(*sizes, width, dropout, side == "seeing") for _ in range(options.members))
                for side in ("seeing", "blind")
            }
        )

    def _named(self) -> Floats:
        """Return which answers' things the questions and answers of each picture name, (pictures, answers)."""
        named = np.zeros((len(self.means), len(self.answers)), np.float32)
        for example in self.train:
            if example.image:
                row = self.row[example.image]
                for thing in (*words(example.question), *together(example.answers).split(",")):
                    for form in (thing, thing.removesuffix("s"), f"{thing}s"):
                        if form in self.number:
                            named[row, self.number[form]] = 1
        for column, answer in enumerate(self.answers):
            parts = [self.number[part] for part in answer.split(",") if part in self.number]
            if "," in answer and parts:
                named[:, column] = named[:, parts].mean(1)
        return named

    def _fit_presence(self) -> None:
        named = self._named()[self.learned]
        known = self.means[self.learned]
        usual, centre, deviation = named.mean(0), known.mean(0), known.std(0) + 1e-3
        x = (known - centre) / deviation / np.float32(known.shape[1] ** 0.5)
        dual = np.linalg.solve(x @ x.T + self.options.ridge * np.eye(len(x), dtype=np.float32), named - usual)
        weight = dual.T @ x / deviation / np.float32(known.shape[1] ** 0.5)
        self.layer = {"presence.weight": weight.astype(np.float32), "presence.usual": usual, "presence.centre": centre}
        self.present = torch.from_numpy(present(self.means, self.layer).astype(np.float32))

    def _fit_memory(self) -> None:
        known, rows = self._remembered()
        place = {row: number for number, row in enumerate(rows)}
        self.memory = Memory.fit(
            [self.questions.numbered(example.question) for example in known],
            self.questions.weights,
            self.scenes.units(self.means[rows], self.options.remembered),
            [place[self.row[example.image]] for example in known if example.image],
            self._shares(known),
        )

    def _remembered(self) -> tuple[list[Example], list[int]]:
        """Return the questions that are remembered, and the rows of pictures: theirs, or all where none is left out."""
        known = [example for example in self.train if self._target(example.answers)]
        if len(known) <= self.options.questions:
            return known, self.learned
        order = np.random.default_rng(self.config.training.seed).permutation(len(known))
        chosen = [known[number] for number in sorted(order[: self.options.questions])]
        return chosen, sorted({self.row[example.image] for example in chosen if example.image})

    def _shares(self, examples: Sequence[Any]) -> Floats:
        """Return each right answer's share, (examples, answers)."""
        shares = np.zeros((len(examples), len(self.answers)), np.float32)
        for row, example in zip(shares, examples, strict=True):
            right = self._target(example.answers)
            row[right] = 1 / max(1, len(right))
        return shares

    def _prepare(self) -> None:
        self.scene = torch.from_numpy(self.scenes.vectors(self.means))
        self.asked = {
            name: torch.from_numpy(self.questions.vectors([e.question for e in examples]))
            for name, examples in (("train", self.train), ("held", self.held), ("val", self.val))
        }
        self.recalled = {
            (side, part): self._recall(part, examples, side == "seeing")
            for part, examples in (("held", self.held), ("val", self.val))
            if examples
            for side in self.temperature
        }

    def _recall(self, part: str, examples: Sequence[Any], sees: bool) -> Floats:
        scenes = self.scenes.units(self.means, self.memory.pictures.shape[1])
        pairs = zip(self.asked[part].numpy(), examples, strict=True)
        return np.stack([self.memory.recall(asked, scenes[self.row[e.image]] if sees else None) for asked, e in pairs])

    def _target(self, answers: Sequence[str]) -> list[int]:
        whole = self.number.get(together(answers))
        if whole is not None:
            return [whole]
        return [self.number[part] for part in together(answers).split(",") if part in self.number]

    def plan(self, generator: np.random.Generator) -> list[list[int]]:
        """Return one epoch's batches of questions that have an answer in the list."""
        usable = [i for i, example in enumerate(self.train) if self._target(example.answers)]
        order, size = generator.permutation(usable).tolist(), self.config.training.batch
        return [order[start : start + size] for start in range(0, len(order), size)]

    def loss(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return the cross-entropy, summed over all networks."""
        target = torch.from_numpy(self._shares([self.train[index] for index in indices]))
        smooth = self.config.training.smoothing
        target = target * (1 - smooth) + smooth / len(self.answers)
        given = self._given("train", self.train, list(indices), self._parts(indices, generator))
        target = target.to(given[0].device)
        losses = [-(target * net(*given).log_softmax(1)).sum(1).mean() for net in self._nets()]
        return torch.stack(losses).sum()

    def _nets(self, side: str = "") -> list[nn.Module]:
        return [net for name, nets in self.module.items() if side in ("", name) for net in nets]

    def _parts(self, indices: Sequence[int], generator: np.random.Generator) -> torch.Tensor:
        """Return scene vectors of random parts of the training examples' pictures, (examples, components)."""
        means = []
        for index in indices:
            image = self.train[index].image
            assert image is not None
            view = self.options.draw(generator, self.config.grid)
            means.append(view.mean(self.grids[self.row[image]]))
        return torch.from_numpy(self.scenes.vectors(np.stack(means)))

    def _given(
        self, part: str, examples: Sequence[Any], indices: list[int], scenes: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, ...]:
        device = next(self.module.parameters()).device
        if scenes is None:
            scenes = self.scene[[self.row[examples[i].image] for i in indices]]
        return tuple(t.to(device) for t in (self.asked[part][indices], scenes))

    def _scores(self, side: str, part: str, examples: Sequence[Any]) -> Floats:
        """Return the scores with or without the picture, (questions, answers)."""
        given = self._given(part, examples, list(range(len(examples))))
        scores = {
            name: np.asarray(torch.stack([net(*given) for net in self._nets(name)]).mean(0).cpu(), np.float32)
            for name in ("blind", side)
        }
        recalled = self.recalled[side, part]
        if side == "blind":
            return self.balance.blind(scores["blind"], recalled)
        presence = self.present[[self.row[example.image] for example in examples]].numpy()
        return self.balance.seeing(scores["blind"], scores["seeing"], presence, recalled)

    def _chances(self, side: str, part: str, examples: Sequence[Any]) -> Floats:
        chances = {
            name: softmax(self._scores(name, part, examples) / self.temperature[name]) for name in {side, "blind"}
        }
        helps = np.array([seen(example.question) for example in examples])
        result: Floats = np.where(helps[:, None], chances[side], chances["blind"])
        return result

    def _right(self, examples: Sequence[Any]) -> NDArray[Any]:
        return np.array([self.number.get(together(e.answers), -1) for e in examples])

    def validate(self) -> dict[str, float]:
        """Return the exact-match accuracy, that of the picture-blind networks, and the calibration error."""
        from ..evaluation.naming import expected_calibration_error

        right = self._right(self.val)
        figures: dict[str, float] = {}
        for side, name in (("seeing", "accuracy"), ("blind", "language_accuracy")):
            chances = self._chances(side, "val", self.val)
            figures[name] = float((chances.argmax(1) == right).mean())
            if side == "seeing":
                figures["ece"] = expected_calibration_error(chances.max(1), chances.argmax(1) == right)
                kinds = np.array([kind(e.question) for e in self.val])
                for each in np.unique(kinds):
                    figures[f"accuracy_{each}"] = float((chances.argmax(1) == right)[kinds == each].mean())
        return figures

    def baseline(self) -> dict[str, float]:
        """Return the accuracy of the most frequent training answer."""
        return {"accuracy": float((self._right(self.val) == 0).mean())}

    def calibrate(self) -> None:
        """Set temperatures and the bounds of the familiar on pictures that no network was trained on."""
        right = self._right(self.held)
        helps = np.array([seen(example.question) for example in self.held])
        for side in self.temperature:
            scores = self._scores(side, "held", self.held)
            known = (right >= 0) & (helps if side == "seeing" else True)
            surprises = {}
            for temperature in np.geomspace(0.5, 6.0, 27).tolist():
                own = softmax(scores / temperature)[np.arange(len(right)), right][known]
                surprises[temperature] = float(-np.log(np.maximum(own, 1e-6)).mean()) if len(own) else 0.0
            self.temperature[side] = min(surprises, key=lambda temperature: surprises[temperature])
        rows = [self.row[e.image] for e in self.held if e.image]
        self.furthest = float(np.quantile(self.scenes.distance(self.means[rows]), 0.99)) * 1.05
        shares = [self.questions.known(e.question) for e in self.held]
        self.least_known = float(np.quantile([share for share in shares if share > 0] or [0.5], 0.15))

    def extras(self) -> dict[str, Any]:
        """Return the lists, the temperatures and the bounds of what is familiar."""
        return {
            "grams": list(self.questions.names),
            "answers": self.answers,
            "temperature": self.temperature,
            "balance": dataclasses.asdict(self.balance),
            "least_known": self.least_known,
            "furthest": self.furthest,
            "members": self.options.members,
            "components": len(self.scenes.weight),
        }

    def arrays(self) -> Arrays:
        """Return networks, the scene vectors' components and the presence regression; matrices in eight bits."""
        arrays = {
            **super().arrays(),
            "questions.weights": self.questions.weights,
            "scenes.mean": self.scenes.mean,
            "scenes.weight": self.scenes.weight,
            **self.layer,
            **self.memory.arrays(),
        }
        return pack(
            arrays,
            [
                name
                for name, array in arrays.items()
                if array.ndim == 2 and array.size > 10_000 and array.dtype.kind == "f"
            ],
        )

    def load(self, arrays: Arrays) -> None:
        """Take the weights and all that was fitted before them."""
        w = unpack(arrays)
        super().load({name: array for name, array in w.items() if name.startswith(("seeing.", "blind."))})
        self.questions = Questions(self.questions.names, w["questions.weights"])
        self.scenes = Scenes(w["scenes.mean"], w["scenes.weight"])
        self.layer = {name: array for name, array in w.items() if name.startswith("presence.")}
        self.present = torch.from_numpy(present(self.means, self.layer).astype(np.float32))
        self.memory = Memory.of(w)
        self._prepare()
