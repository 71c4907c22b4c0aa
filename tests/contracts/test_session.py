"""One contract for every language model session."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.backends import llama_library
from assistant.backends.llama import LlamaSession
from assistant.backends.llama_ik import IkLlama
from assistant.backends.llama_library import Library
from assistant.backends.llama_upstream import UpstreamLlama
from assistant.config import Settings
from assistant.errors import InputError, Interrupted, ModelError
from assistant.stages import Sampling, Session, SoftTokens
from assistant.store import Store

SMALL, LARGE = "smollm2-135m-instruct-q4_1", "qwen2.5-coder-1.5b-instruct-q4_k_m"


GGUF = {"llama.cpp": (SMALL, UpstreamLlama), "ik_llama.cpp": (SMALL, IkLlama)}
"""Models and builds."""


def _with(settings: Settings, model: str, threads: int = 1) -> Settings:
    brain = dataclasses.replace(settings.brain, model=model, context=512, threads=threads, temperature=0.0)
    return dataclasses.replace(settings, brain=brain)


def _llama(settings: Settings, store: Store, model: str, build: type[Library], threads: int = 1) -> LlamaSession:
    """Return a session on one build, whichever is the best one here."""
    if not build.installed():
        pytest.skip(f"{build.wheel} has no wheel for this platform")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.backends.llama.libraries", lambda gpu: iter([llama_library.loaded(build)]))
        return LlamaSession(_with(settings, model, threads), store)


@pytest.fixture(scope="module", params=[*GGUF, "transformers", "transformers-tiny"])
def session(
    request: pytest.FixtureRequest, settings: Settings, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    if request.param in GGUF:
        made: Session = _llama(settings, store, *GGUF[request.param])
    else:
        pytest.importorskip("transformers", reason="the transformers session needs the gpu extra")
        pytest.importorskip("torch", reason="the transformers session needs the gpu extra")
        from assistant.backends.transformers import TransformersSession, convert

        if request.param == "transformers":
            folder = convert(store.require(SMALL), store.root / SMALL / "bf16")
        else:
            from ..make_tiny_lm import make

            folder = make(tmp_path_factory.mktemp("tiny"))
        made = TransformersSession(_with(settings, str(folder)), store)
    yield made
    made.close()


@pytest.fixture
def prompt(session: Session) -> list[int]:
    session.truncate(0)
    messages: list[dict[str, object]] = [{"role": "user", "content": "Name three colours."}]
    return session.tokenize(session.template(messages, []))


def _greedy(session: Session, tokens: int = 6, **wishes: object) -> str:
    return "".join(session.generate(Sampling(max_tokens=tokens, temperature=0, **wishes)))  # type: ignore[arg-type]


def _same(one: np.ndarray, other: np.ndarray, exact: bool) -> bool:
    """bf16 sums of another order differ in the last bits; llama.cpp has to agree to the bit."""
    return bool(np.array_equal(one, other)) if exact else bool(np.abs(one - other).max() <= 0.05 * np.abs(other).max())


def test_satisfies_the_protocol(session: Session) -> None:
    assert isinstance(session, Session)
    assert session.context == 512


def test_template_is_the_models_own(session: Session) -> None:
    text = session.template([{"role": "user", "content": "Hi."}], [])
    assert text.endswith("<|im_start|>user\nHi.<|im_end|>\n<|im_start|>assistant\n")


def test_markers_are_parsed_only_where_asked(session: Session) -> None:
    assert len(session.tokenize("<|im_start|>")) == 1
    mere = session.tokenize("<|im_start|>", special=False)
    assert len(mere) > 1
    assert session.tokenize("<|im_start|>")[0] not in mere


def test_tokens_and_their_embeddings_give_equal_logits(session: Session, prompt: list[int]) -> None:
    vectors = session.embed(prompt)
    assert vectors.shape == (len(prompt), session.dim)
    session.append(prompt)
    by_tokens = session.logits()
    session.truncate(0)
    session.append(SoftTokens(vectors, "the same"))
    assert np.array_equal(session.logits(), by_tokens)


def test_rolling_back_is_as_if_it_had_not_been_read(session: Session, prompt: list[int]) -> None:
    session.append(prompt[:-4])
    session.append(prompt[-4:])
    before = session.logits()
    session.append(session.tokenize(" Bananas are blue, and so on."))
    assert not np.array_equal(session.logits(), before)
    session.truncate(len(prompt) - 4)
    session.append(prompt[-4:])
    assert np.array_equal(session.logits(), before)


def test_half_a_question_is_less_likely_to_end_a_sentence_than_the_whole(session: Session) -> None:
    chances = {}
    for words in ("What is the capital city of", "What is the capital city of France"):
        asked = session.tokenize(f"<|im_start|>user\n{words}")
        chances[words] = session.ending([asked], [asked])
        assert 0.0 <= chances[words] <= 1.0
        assert session.length == len(asked)
    if session.name.startswith("smollm2"):  # the tiny one of the other engine has random weights
        assert chances["What is the capital city of"] < 0.02 < 0.2 < chances["What is the capital city of France"]


def test_the_end_of_the_words_is_judged_while_what_follows_is_read(session: Session) -> None:
    asked, rest = session.tokenize("<|im_start|>user\nWho wrote it"), session.tokenize("?<|im_end|>\n")
    alone = session.ending([asked], [asked])
    for known in ([], asked[:2], [*asked, *rest], [*asked, *asked]):
        session.sync([known or asked[:1]])
        assert session.ending([asked], [[*asked, *rest]]) == pytest.approx(alone, rel=0.1, abs=0.01)
        assert session.length == len(asked) + len(rest)
        changes = session._changes  # type: ignore[attr-defined]
        session.sync([[*asked, *rest]])
        session.logits()
        assert session._changes == changes, "nothing is left to read"  # type: ignore[attr-defined]
    assert session.ending([asked], [rest]) == pytest.approx(alone, rel=0.1, abs=0.01)
    assert session.length == len(asked), "another prompt is not read"
    changes = session._changes  # type: ignore[attr-defined]
    assert session.ending([asked], [[*asked, *rest]]) == pytest.approx(alone, rel=0.1, abs=0.01)
    assert session._changes == changes, "where the words were read last, the answer is known"  # type: ignore[attr-defined]
    session.append(rest)
    session.truncate(len(asked))
    assert session.ending([asked], [[*asked, *rest]]) == pytest.approx(alone, rel=0.1, abs=0.01)
    assert session.length == len(asked) + len(rest), "after a roll back their logits are gone"
    with pytest.raises(ModelError):
        session.ending([[]], [asked])


def test_logits_after_a_roll_back_are_of_the_position_rolled_back_to(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    before = session.logits()
    session.append([prompt[0]])
    session.truncate(len(prompt))
    assert _same(session.logits(), before, exact=False)
    assert session.length == len(prompt)


def test_rolling_back_into_soft_tokens(session: Session, prompt: list[int]) -> None:
    soft = SoftTokens(session.embed(prompt), "soft")
    session.append(soft)
    before = session.logits()
    session.append(prompt[:3])
    session.truncate(len(prompt))
    assert _same(session.logits(), before, exact=False)


def test_sync_reads_only_what_differs(session: Session, prompt: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    soft = SoftTokens(session.embed(prompt[:5]), "a picture")
    read: list[int] = []
    original = session._read  # type: ignore[attr-defined]

    def counting(piece: list[int] | SoftTokens, heed: int | None) -> object:
        read.append(len(piece.vectors) if isinstance(piece, SoftTokens) else len(piece))
        return original(piece, heed)

    monkeypatch.setattr(session, "_read", counting)
    session.sync([prompt, soft, prompt[:3]])
    assert sum(read) == len(prompt) + 5 + 3 == session.length
    read.clear()
    session.sync([prompt, soft, prompt[:3]])
    assert read == []
    session.sync([prompt, soft, prompt[:2], prompt[4:6]])
    assert sum(read) == 2
    read.clear()
    session.sync([prompt, SoftTokens(soft.vectors, "another picture")])
    assert sum(read) == 5
    read.clear()
    session.sync([prompt])  # the last position again, for its logits
    assert sum(read) == 1


def test_generated_tokens_stay_in_the_cache(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    assert _greedy(session)
    assert len(prompt) < session.length <= len(prompt) + 6


def test_greedy_is_repeatable_and_a_seed_is(session: Session, prompt: list[int]) -> None:
    texts = []
    for wishes in (Sampling(5, 0.0), Sampling(5, 0.0), Sampling(5, 1.5, seed=7), Sampling(5, 1.5, seed=7)):
        session.sync([prompt])
        texts.append("".join(session.generate(wishes)))
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]


def test_closing_stops_within_one_token(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    pieces = session.generate(Sampling(max_tokens=50, temperature=1.0, seed=1))
    next(pieces)
    length = session.length
    pieces.close()  # type: ignore[attr-defined]
    assert session.length == length


def test_cancel_ends_a_generation(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    pieces = session.generate(Sampling(max_tokens=50, temperature=1.0, seed=1))
    next(pieces)
    length = session.length
    session.cancel()  # type: ignore[attr-defined]
    rest = list(pieces)
    assert len(rest) <= 1
    assert session.length <= length + 1


def test_cancel_ends_a_long_reading(session: Session, prompt: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    original = session._read  # type: ignore[attr-defined]

    def cancelled_meanwhile(piece: list[int] | SoftTokens, heed: int | None) -> object:
        canceller = threading.Thread(target=session.cancel)  # type: ignore[attr-defined]
        canceller.start()
        canceller.join()
        return original(piece, heed)

    monkeypatch.setattr(session, "_read", cancelled_meanwhile)
    with pytest.raises(Interrupted):
        session.append((prompt * 20)[:300])
    assert session.length <= 64
    monkeypatch.undo()
    session.sync([prompt])
    assert session.length == len(prompt)


def test_a_change_from_elsewhere_ends_a_generation(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    pieces = session.generate(Sampling(max_tokens=50, temperature=1.0, seed=1))
    next(pieces)
    session.truncate(2)
    assert len(list(pieces)) <= 1
    assert session.length == 2


def test_a_grammar_is_satisfied(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    assert _greedy(session, 30, grammar='root ::= "red, " ("green" | "blue") "!"') in ("red, green!", "red, blue!")


def test_a_wrong_grammar_is_one_clear_error(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    with pytest.raises(InputError, match="grammar"):
        _greedy(session, grammar="root := (((")


@pytest.mark.parametrize("text", ["Zwölf Äpfel für 3 €", "日本語 🙂"])
def test_characters_split_over_tokens_come_out_whole(session: Session, prompt: list[int], text: str) -> None:
    session.append(prompt)
    pieces = list(session.generate(Sampling(max_tokens=60, temperature=0, grammar=f'root ::= "{text}"')))
    assert "".join(pieces) == text
    assert "�" not in "".join(pieces)


def test_a_stop_string_ends_the_text_before_it(session: Session, prompt: list[int]) -> None:
    session.append(prompt)
    assert _greedy(session, 40, grammar='root ::= "one two three four"', stop=("three",)) == "one two "


def test_what_does_not_fit_is_refused(session: Session, prompt: list[int]) -> None:
    with pytest.raises(ModelError, match=r"brain\.context"):
        session.append([prompt[0]] * 513)
    assert session.length == 0
    with pytest.raises(InputError, match="soft tokens"):
        session.append(SoftTokens(np.zeros((2, session.dim + 1), np.float32), "too wide"))
    with pytest.raises(ModelError, match="nothing"):
        session.logits()


def test_a_full_context_ends_in_an_error(session: Session, prompt: list[int]) -> None:
    session.append([prompt[0]] * 510)
    with pytest.raises(ModelError, match=r"brain\.context"):
        list(session.generate(Sampling(max_tokens=10, temperature=0, grammar='root ::= "abcdefghijklmnopq"+')))


@pytest.mark.parametrize("build", [IkLlama, UpstreamLlama])
def test_llama_reads_a_constant_prompt_once(
    settings: Settings, store: Store, tmp_path: Path, build: type[Library]
) -> None:
    from assistant.backends.llama_prefix import PrefixFiles

    session = _llama(settings, store, SMALL, build)
    session.prefixes = PrefixFiles(tmp_path)
    tokens = session.tokenize("You are a helpful assistant that answers in one word. The sky is blue. " * 10)
    more = session.tokenize("The sea is")
    session.prime(tokens)
    session.append(more)
    expected = session.logits()
    session.truncate(0)
    session.append(more * len(tokens))  # what lies in the cache now must not be taken for what was saved
    session.truncate(0)
    session._read = None  # type: ignore[method-assign,assignment]  # reading now would fail
    session.prime(tokens)
    assert session.length == len(tokens)
    del session._read
    session.append(more)
    assert np.array_equal(session.logits(), expected)

    (saved,) = tmp_path.glob("*.state")
    damaged = bytearray(saved.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    saved.write_bytes(damaged)
    session.truncate(0)
    session.prime(tokens)
    session.append(more)
    assert np.array_equal(session.logits(), expected)
    assert saved.read_bytes() != bytes(damaged)
    session.close()


def test_prefix_files_are_bounded(tmp_path: Path) -> None:
    from assistant.backends.llama_prefix import MOST_FILES, PrefixFiles

    files = PrefixFiles(tmp_path)
    for number in range(MOST_FILES + 3):
        files.save(str(number), bytes([number]))
    assert len(list(tmp_path.iterdir())) == MOST_FILES


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no file"), (b"", "does not load"), (b"GGUF\x03junk", "does not load")]
)
def test_llama_says_what_is_wrong_with_a_file(
    settings: Settings, store: Store, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "broken.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        LlamaSession(_with(settings, str(path)), store)


@pytest.mark.parametrize("build", [IkLlama, UpstreamLlama])
def test_llama_refuses_another_version(build: type[Library], monkeypatch: pytest.MonkeyPatch) -> None:
    if not build.installed():
        pytest.skip(f"{build.wheel} has no wheel for this platform")
    library = llama_library.loaded(build)
    monkeypatch.setattr(build, "context_defaults", {**build.context_defaults, "n_ctx": 12345})
    with pytest.raises(ModelError, match=build.version):
        library.check()


@pytest.mark.parametrize(("model", "fewest"), [(SMALL, 1), (LARGE, 2)])
def test_read_at_once_is_as_read_piece_by_piece_to_the_bit(
    settings: Settings, store: Store, model: str, fewest: int
) -> None:
    """Where rows are interleaved (not in Q4_1), a position alone is rounded otherwise, to nearly the same."""
    session = _llama(settings, store, model, IkLlama)
    tokens = session.tokenize("Name three colours of the rainbow, and say which of them you see in a flame. " * 4)[:60]
    session.append(tokens)
    at_once = session.logits()
    read = {}
    for count in (1, 2):
        session.truncate(0)
        for start in range(0, len(tokens), count):
            session.append(tokens[start : start + count])
        read[count] = session.logits()
    assert np.array_equal(read[fewest], at_once)
    assert _divergence(read[1], at_once) < 0.02
    session.close()


def _divergence(one: np.ndarray, other: np.ndarray) -> float:
    """Kullback-Leibler divergence of two rows of logits, in nats."""
    first, second = (row.astype(np.float64) - np.logaddexp.reduce(row.astype(np.float64)) for row in (one, other))
    return float(np.sum(np.exp(first) * (first - second)))


@pytest.mark.parametrize("build", [IkLlama, UpstreamLlama])
def test_two_threads_survive_cancels_at_any_moment(settings: Settings, store: Store, build: type[Library]) -> None:
    chance = random.Random(0)
    session = _llama(settings, store, SMALL, build, threads=2)
    tokens = session.tokenize("Name three colours of the rainbow, and say which of them you see in a flame. " * 9)[:150]
    session.append(tokens)
    expected = session.logits()
    for _ in range(150):
        session.truncate(chance.randrange(session.length + 1))
        stop = threading.Timer(chance.uniform(0, 0.1), session.cancel)
        stop.start()
        with contextlib.suppress(Interrupted):
            session.sync([tokens])
        stop.join()
    session.sync([tokens])
    assert np.abs(session.logits() - expected).max() <= 0.05 * np.abs(expected).max()
    session.close()


def test_what_ik_llama_computes_is_finished_and_never_aborted(settings: Settings, store: Store) -> None:
    session = _llama(settings, store, SMALL, IkLlama, threads=2)  # its threads wait for each other for ever at times
    tokens = session.tokenize("Name three colours of the rainbow.")
    session.append(tokens)
    expected = session.logits()
    session.truncate(0)
    session.append([tokens[-1]])  # other logits
    session.truncate(0)
    session.cancel()
    session._read(tokens)
    assert np.array_equal(session._logits(), expected)
    session.close()


def test_what_one_build_cannot_load_is_given_to_the_next(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Picky(UpstreamLlama):
        def load_model(self, path: Path, gpu_layers: int) -> object:
            return self.ffi.NULL

    monkeypatch.setattr("assistant.backends.llama_ik.IkLlama", Picky)
    session = LlamaSession(_with(settings, SMALL), store)
    assert type(session._library) is UpstreamLlama
    session.close()
    monkeypatch.setattr("assistant.backends.llama.UpstreamLlama.installed", classmethod(lambda cls: cls is Picky))
    with pytest.raises(ModelError, match=r"does not load.*another build.*pip install .xllamacpp"):
        LlamaSession(_with(settings, SMALL), store)


def test_a_build_with_a_gpu_goes_first_where_one_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithGpu(UpstreamLlama):
        def __init__(self) -> None:
            self.c = SimpleNamespace(llama_supports_gpu_offload=lambda: True)

    class Quick(IkLlama):
        def __init__(self) -> None:
            pass

    for name, build in (("llama_upstream.UpstreamLlama", WithGpu), ("llama_ik.IkLlama", Quick)):
        monkeypatch.setattr(build, "installed", classmethod(lambda cls: True))
        monkeypatch.setattr(f"assistant.backends.{name}", build)
    assert [type(library) for library in llama_library.libraries(gpu=True)] == [WithGpu, Quick]
    assert [type(library) for library in llama_library.libraries(gpu=False)] == [Quick, WithGpu]


def test_without_any_build_it_is_said_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "installed", classmethod(lambda cls: False))
    with pytest.raises(ModelError, match=r"pip install .xllamacpp=="):
        next(llama_library.libraries(gpu=False))


def test_a_reading_that_is_urged_keeps_what_it_has_read(session: Session) -> None:
    tokens = session.tokenize("One two three four five six seven eight nine ten. " * 8, special=False)
    session.truncate(0)
    session.sync([tokens])
    whole = session.logits()
    session.truncate(0)
    urges = iter([False, True])
    with pytest.raises(Interrupted):
        session.sync([tokens], lambda: next(urges))
    assert 0 < session.length < len(tokens)
    session.sync([tokens], lambda: False)
    assert session.length == len(tokens)
    assert np.abs(session.logits() - whole).max() <= 0.05 * np.abs(whole).max()
