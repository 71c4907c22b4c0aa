from __future__ import annotations

import math

import pytest

from assistant.errors import SettingError
from assistant.fusion.config import ModelConfig

torch = pytest.importorskip("torch", reason="strategies are torch modules")
from assistant.fusion.strategies import STRATEGIES, Modality, drop_modality, info_nce, strategy  # noqa: E402

WIDTHS = {"picture": 5, "text": 7}


def given(seed: int = 0, absent: str = "") -> dict[str, Modality]:
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for name, width in WIDTHS.items():
        mask = torch.ones(3, 4, dtype=torch.bool)
        mask[:, 3:] = False
        if name == absent:
            mask[1] = False
        made[name] = Modality(torch.randn(3, 4, width, generator=generator), mask)
    return made


def built(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return strategy(WIDTHS, ModelConfig(name, dim=8, layers=2, heads=2, hidden=16, queries=3)).eval()


@pytest.mark.parametrize(
    ("name", "tokens"), [("early", 1), ("late", 1), ("attention", 3), ("joint", 10), ("co_attention", 2)]
)
def test_shapes_and_gradients(name: str, tokens: int) -> None:
    module = built(name)
    fused = module(given())
    assert fused.shape == (3, tokens, 8)
    fused.sum().backward()
    unused = [key for key, value in module.named_parameters() if value.grad is None and "absent" not in key]
    assert not unused


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_padding_is_never_read(name: str) -> None:
    module, one, other = built(name), given(), given()
    for modality in other.values():
        modality.tokens[:, 3:] = 99.0
    assert torch.allclose(module(one), module(other), atol=1e-5)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_an_absent_modality_is_a_learned_token_and_not_its_content(name: str) -> None:
    module, one, other = built(name), given(absent="picture"), given(absent="picture")
    other["picture"].tokens[1] = 99.0
    assert torch.allclose(module(one)[1], module(other)[1], atol=1e-5)
    assert not torch.allclose(module(one)[1], module(given())[1], atol=1e-3)
    with torch.no_grad():
        module.gates["picture"].absent += torch.randn(8)
    assert not torch.allclose(module(one)[1], module(other)[0], atol=1e-3)


def test_confidence_scales_a_modality() -> None:
    module, one = built("early"), given()
    sure = {**one, "picture": Modality(one["picture"].tokens, one["picture"].mask, torch.ones(3))}
    doubtful = {**one, "picture": Modality(one["picture"].tokens, one["picture"].mask, torch.zeros(3))}
    assert torch.allclose(module(one), module(sure))
    assert not torch.allclose(module(one), module(doubtful), atol=1e-3)


def test_late_never_lets_modalities_meet() -> None:
    """The effect of the text on the result is the same whatever the picture is; co-attention's is not."""

    def interaction(name: str) -> float:
        module = built(name)
        a, b = given(0), given(1)
        mixed = [{"picture": p["picture"], "text": t["text"]} for p in (a, b) for t in (a, b)]
        aa, ab, ba, bb = (module(one).mean(1) for one in mixed)
        return float((aa - ab - ba + bb).detach().abs().max())

    assert interaction("late") < 1e-5 < 1e-3 < interaction("co_attention")


def test_modalities_are_dropped_one_at_a_time() -> None:
    full = {name: Modality(torch.zeros(400, 2, 3), torch.ones(400, 2, dtype=torch.bool)) for name in WIDTHS}
    dropped = drop_modality(full, 0.5, torch.Generator().manual_seed(0))
    gone = torch.stack([~modality.mask.any(1) for modality in dropped.values()])
    assert 150 < int(gone.any(0).sum()) < 250 and not bool(gone.all(0).any())
    assert all(bool(m.mask.all()) for m in drop_modality(full, 0.0).values())


def test_info_nce_by_hand() -> None:
    same = torch.eye(2)
    expected = math.log(1 + math.exp(-10))
    assert float(info_nce(same, same, 0.1)) == pytest.approx(expected, rel=1e-3)
    assert float(info_nce(same, same.flip(0), 0.1)) == pytest.approx(10 + expected, rel=1e-3)


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(SettingError, match="did you mean 'joint'"):
        strategy(WIDTHS, ModelConfig("join"))
