from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from assistant.fusion.captions import Choice, choose
from assistant.fusion.ngrams import Cider, bleu, bleu_counts
from assistant.fusion.sentences import Vocabulary, spoken, tokenize
from assistant.fusion.views import View

from . import fusion_world as world

REFERENCES = [
    ["a black dog runs in the snow", "two dogs play in deep snow", "a dog is running"],
    ["a man rides a red bike", "the man on a bicycle", "a cyclist goes down a street"],
    ["a child jumps into a pool", "a boy dives", "kid in the water of the pool"],
    ["the girl sits on a bench", "a girl is sitting", "a young girl on a wooden bench in a park"],
]
CAPTIONS = ["a black dog is running in the snow", "a man on a red bike", "a a a a", "a woman"]


def test_figures_equal_those_of_pycocoevalcap() -> None:
    bleu_scorer = pytest.importorskip("pycocoevalcap.bleu.bleu_scorer", reason="needs the extra eval")
    cider_scorer = importlib.import_module("pycocoevalcap.cider.cider_scorer")
    theirs, ciders = bleu_scorer.BleuScorer(n=4), cider_scorer.CiderScorer(n=4, sigma=6.0)
    for caption, references in zip(CAPTIONS, REFERENCES, strict=True):
        theirs += (caption, references)
        ciders += (caption, references)
    split = [[reference.split() for reference in references] for references in REFERENCES]
    counts = np.sum([bleu_counts(c.split(), r) for c, r in zip(CAPTIONS, split, strict=True)], 0)
    assert bleu(counts) == pytest.approx(theirs.compute_score(option="closest")[0], abs=1e-9)
    cider = Cider(split)
    ours = [cider.score(caption.split(), number) for number, caption in enumerate(CAPTIONS)]
    assert ours == pytest.approx(ciders.compute_score()[1].tolist(), abs=1e-9)


def test_bleu_by_hand() -> None:
    counts = bleu_counts("the the the cat".split(), ["the cat sat".split(), "a cat on the mat".split()])
    assert counts.tolist() == [4, 3, 2, 1, 0, 0, 4, 3, 2, 1]
    assert bleu(counts)[:2] == pytest.approx([0.5, (0.5 / 3) ** 0.5])


def test_cider_rewards_what_is_rare() -> None:
    split = [[reference.split() for reference in references] for references in REFERENCES]
    cider = Cider(split)
    assert cider.score("a snow".split(), 0) > cider.score("a a".split(), 0) == 0
    assert cider.score(REFERENCES[0][0].split(), 0) > cider.score(REFERENCES[1][0].split(), 0)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("A man 's T-shirt isn't red .", ["a", "man", "'s", "t-shirt", "is", "n't", "red"]),
        ('He says "stop", -- no!', ["he", "says", "stop", "no"]),
        ("Two (2) dogs; 3.5 m", ["two", "2", "dogs", "3.5", "m"]),
        ("", []),
    ],
)
def test_tokens(sentence: str, words: list[str]) -> None:
    assert tokenize(sentence) == words


def test_a_caption_is_spoken_as_a_sentence() -> None:
    assert spoken(["a", "man", "'s", "dog", "does", "n't", "run"]) == "A man's dog doesn't run."
    assert spoken([]) == ""


def test_a_vocabulary_knows_its_words() -> None:
    vocabulary = Vocabulary.of([["a", "dog"], ["a", "cat"]], least=2)
    assert vocabulary.words[4:] == ("a",) and vocabulary.numbers(["a", "cow"]) == [4, 3]
    assert vocabulary.text([4]) == ["a"]


def test_a_caption_of_what_was_seen_is_chosen() -> None:
    candidates = [["a", "cat", "sits"], ["a", "dog", "sits"]]
    scores = [-1.0, -1.1]
    seen = {"cat": 0.01, "dog": 0.8}
    assert choose(candidates, scores, seen, [0.0, 0.0], Choice(visual=0.0)) == 0
    assert choose(candidates, scores, seen, [0.0, 0.0], Choice(visual=0.1)) == 1
    assert choose(candidates, scores, {"cat": 0.8, "dog": 0.01}, [0.0, 0.0], Choice()) == 0


def test_another_judge_can_decide() -> None:
    candidates, scores = [["a", "cat"], ["a", "dog"]], [-1.0, -1.1]
    assert choose(candidates, scores, {}, [0.2, 0.6], Choice()) == 1
    assert choose(candidates, scores, {}, [0.2, 0.6], Choice(judge=0.0)) == 0


def test_length_is_no_disadvantage() -> None:
    candidates = [["a"], ["a", "dog", "runs", "home"]]
    assert choose(candidates, [-1.0, -2.0], {}, [0.0, 0.0], Choice(length=0.0)) == 0
    assert choose(candidates, [-1.0, -2.0], {}, [0.0, 0.0], Choice(length=1.0)) == 1


def test_numpy_and_torch_captioners_agree(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the trained module")
    from assistant.fusion import task
    from assistant.fusion.checkpoint import Checkpoint
    from assistant.fusion.runtime import NumpyCaptioner, together
    from assistant.fusion.sentences import END, START

    config = world.configuration("caption", least_visual=2, visual_epochs=1, members=2)
    data = world.build(tmp_path / "data", 24)
    made = task.make(config, world.material(data, tmp_path / "cache", config))
    made.module.eval()
    ours = NumpyCaptioner(Checkpoint(config, made.arrays(), made.extras()))
    features = made.material.features.batch([made.material.val[0].image])  # type: ignore[list-item]
    seen = made._seen(features, [View.whole(config.grid)], ours.visual.probabilities(features[0])[None])  # type: ignore[attr-defined]
    words = [START, 5, 6, 7]
    given, position = torch.tensor([words]), torch.arange(len(words))[None]
    mask = torch.ones(1, 1, len(words), len(words), dtype=torch.bool).tril()
    chances = []
    with torch.no_grad():
        for member, decoder, numpy_memory in zip(made.module, ours.decoders, ours.memory(features[0]), strict=True):
            memory, rows, caches = member.memory(*seen), decoder.start(), [None]
            for (keys, values), (numpy_keys, numpy_values) in zip(memory, numpy_memory, strict=True):
                assert np.allclose(keys[0].numpy(), numpy_keys, atol=1e-4)
                assert np.allclose(values[0].numpy(), numpy_values, atol=1e-4)
            whole = member.logits(member(memory, given, position, mask))[0]
            for place, word in enumerate(words):
                step, caches = member.step(memory, torch.tensor([word]), place, caches)
                assert np.allclose(step[0].numpy(), whole[place].numpy(), atol=1e-4)
                assert np.allclose(
                    step[0].numpy(), decoder.step(numpy_memory, rows, np.array([word]), place)[0], atol=1e-4
                )
            chances.append(whole.softmax(-1).numpy()[np.arange(4), [*words[1:], END]])
    sentence = " ".join(ours.vocabulary.text(words[1:]))
    found = ours.likelihood(ours.memory(features[0]), sentence)
    assert np.allclose(np.exp(found), np.mean(chances, 0), atol=1e-4)
    both = together([ours.memory(features[0]), ours.memory(features[0] + 1)])
    assert np.allclose(ours.likelihood(both, sentence)[0], found, atol=1e-4)
    assert np.allclose(
        ours.likelihood(both, sentence)[1], ours.likelihood(ours.memory(features[0] + 1), sentence), atol=1e-4
    )


def test_a_captioner_learns_to_describe_and_then_from_consensus(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    from dataclasses import replace

    from assistant.errors import SettingError
    from assistant.fusion import task
    from assistant.fusion.runtime import NumpyCaptioner
    from assistant.fusion.training import Trainer

    config = world.configuration("caption", epochs=30, least_visual=2, visual_epochs=5)
    data = world.build(tmp_path / "data")
    material = world.material(data, tmp_path / "cache", config)
    first = Trainer(task.make(config, material), tmp_path / "first").run()
    assert first.figures["bleu4"] > 0.6
    captioner = NumpyCaptioner.load(first.best)
    said = " ".join(captioner.caption(world.ColourEncoder().encode(world.picture("blue", "right", 999))))
    assert "blue" in said and "right" in said
    options = {**config.options, "objective": "consensus", "start": str(first.best), "samples": 3}
    second = replace(config, options=options, training=replace(config.training, epochs=1, lr=1e-4))
    result = Trainer(task.make(second, material), tmp_path / "second").run()
    assert result.figures["cider"] >= first.figures["cider"] * 0.8
    with pytest.raises(SettingError, match="side must be 1 or more"):
        task.make(replace(config, options={**config.options, "side": 0}), material)
    with pytest.raises(SettingError, match="consensus"):
        task.make(replace(second, options={**options, "start": ""}), material)
