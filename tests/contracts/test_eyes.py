"""Every backend that looks: the eyes and the readers, as their Protocols promise."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from assistant.backends import assistant_backends
from assistant.config import Settings
from assistant.plugins import Plugins
from assistant.stages import Eyes, Reader
from assistant.store import Store
from assistant.types import Box, Frame, Percept, Pixels, TextRegion, Verdict

pytestmark = pytest.mark.filterwarnings("ignore:.*SwigPy.*:DeprecationWarning")

EYES = [backend.name for backend in assistant_backends() if backend.kind == "eyes"]
NOTHING = Percept("", np.zeros((0, 0), np.float32))


def pattern() -> Pixels:
    """Ramps and a chequered blue: the same in every run, sharp and bright."""
    y, x = np.mgrid[0:200, 0:300]
    return np.stack([x * 255 // 299, y * 255 // 199, (x // 25 + y // 25) % 2 * 200], -1).astype(np.uint8)


@pytest.fixture(scope="module", params=EYES)
def eyes(request: pytest.FixtureRequest, settings: Settings, store: Store) -> Eyes:
    made = Plugins(settings).make("eyes", request.param, store)
    assert isinstance(made, Eyes)
    return made


@pytest.fixture(scope="module")
def text_reader(settings: Settings, store: Store) -> Reader:
    made = Plugins(settings).make("reader", "rapidocr", store)
    assert isinstance(made, Reader)
    return made


@pytest.fixture(scope="module")
def code_reader(settings: Settings, store: Store) -> Reader:
    made = Plugins(settings).make("reader", "zxing", store)
    assert isinstance(made, Reader)
    return made


def test_a_percept_is_whole(eyes: Eyes) -> None:
    percept = eyes.look(Frame(pattern(), time=4.5, source="camera"))
    assert percept.encoder == eyes.encoder
    assert percept.features.shape[0] == percept.grid[0] * percept.grid[1]
    assert percept.features.dtype == np.float32 and np.isfinite(percept.features).all()
    assert (percept.time, percept.source, percept.verdict) == (4.5, "camera", Verdict.OK)
    probabilities = [label.probability for label in percept.labels]
    assert probabilities == sorted(probabilities, reverse=True) and sum(probabilities) <= 1
    for label in percept.labels:
        assert label.box is not None and label.place == label.box.place
        assert 0 <= label.box.left < label.box.right <= 1 and 0 <= label.box.top < label.box.bottom <= 1
    assert percept.regions is None and percept.codes is None


def test_looking_twice_sees_the_same(eyes: Eyes) -> None:
    first, second = eyes.look(Frame(pattern())), eyes.look(Frame(pattern()))
    assert np.array_equal(first.features, second.features) and first.labels == second.labels


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (2000, 1500)])
def test_any_shape_is_looked_at(eyes: Eyes, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert np.isfinite(eyes.look(Frame(pixels)).features).all()


def frames() -> dict[str, tuple[Pixels, set[Verdict]]]:
    random = np.random.default_rng(0)
    big = cv2.resize(pattern(), (900, 600), interpolation=cv2.INTER_NEAREST)
    unclear = {Verdict.BLURRED, Verdict.BLANK}
    return {
        "black": (np.zeros((480, 640, 3), np.uint8), {Verdict.BLACK}),
        "dark": ((big * 0.1).astype(np.uint8), {Verdict.DARK}),
        "white": (np.full((480, 640, 3), 255, np.uint8), {Verdict.BRIGHT}),
        "over-exposed": (np.clip(big * 0.5 + 200, 0, 255).astype(np.uint8), {Verdict.BRIGHT}),
        "grey": (np.full((480, 640, 3), 128, np.uint8), {Verdict.BLANK}),
        "wall": (np.clip(random.normal(150, 4, (480, 640, 3)), 0, 255).astype(np.uint8), {Verdict.BLANK}),
        "noise": (random.integers(0, 256, (480, 640, 3)).astype(np.uint8), {Verdict.BLANK}),
        "out of focus": (np.asarray(cv2.GaussianBlur(big, (0, 0), 25), np.uint8), unclear),
        "shaken": (np.asarray(cv2.blur(big, (120, 1)), np.uint8), unclear),
        "shaken a little": (np.asarray(cv2.blur(big, (1, 60)), np.uint8), unclear),
    }


@pytest.mark.parametrize("ink", [0, 100, 150])
def test_a_page_of_print_is_no_white_wall(eyes: Eyes, ink: int) -> None:
    page = np.full((1000, 700, 3), 255, np.uint8)
    for line in range(12):
        cv2.putText(page, "TOTAL 12.50 thank you", (60, 80 + 70 * line), cv2.FONT_HERSHEY_SIMPLEX, 1, (ink,) * 3, 2)
    assert eyes.look(Frame(page)).verdict is Verdict.OK


@pytest.mark.parametrize("kind", list(frames()))
def test_what_cannot_be_seen_is_not_named(eyes: Eyes, kind: str) -> None:
    pixels, allowed = frames()[kind]
    percept = eyes.look(Frame(pixels))
    assert percept.verdict in allowed
    assert percept.labels == ()
    assert percept.features.shape[0] == percept.grid[0] * percept.grid[1]


def test_the_verdict_does_not_depend_on_the_resolution(eyes: Eyes) -> None:
    for scale in (0.8, 1, 3, 8):
        pixels = cv2.resize(pattern(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        assert eyes.look(Frame(np.asarray(pixels, np.uint8))).verdict is Verdict.OK


def test_labels_say_what_and_where(eyes: Eyes, shared_data: Path) -> None:
    """A photo put into one corner of a plain picture is still named, and found in that corner."""
    from assistant import pictures

    found = 0
    names = ("n01440764", "n02007558", "n02123394", "n01843065", "n02814533")
    existing = [shared_data / "naming" / "images" / f"imagenet_{name}.jpg" for name in names]
    photos = [pictures.read(path) for path in existing if path.is_file()]
    if not photos:
        pytest.skip("none of these photos are in the development data")
    for photo in photos:
        canvas = np.full((photo.pixels.shape[0] * 2, photo.pixels.shape[1] * 2, 3), 128, np.uint8)
        canvas[: photo.pixels.shape[0], : photo.pixels.shape[1]] = photo.pixels
        labels = eyes.look(Frame(canvas)).labels
        found += bool(labels) and labels[0].place in ("upper left", "left", "upper centre")
    assert found >= len(photos) * 0.6


def test_a_receipt_is_nothing_that_the_eyes_know(eyes: Eyes, shared_data: Path) -> None:
    """Among the thousand classes a menu is nearest; that is no reason to be sure of one."""
    from assistant import pictures

    pages = sorted((shared_data / "ocr" / "images").glob("*.jpg"))[:8]
    if not pages:
        pytest.skip("there are no receipts in the development data")
    sure = [label for page in pages for label in eyes.look(pictures.read(page)).labels if label.probability > 0.6]
    assert len(sure) <= len(pages) // 4


# EfficientNet-Lite2 of efficientnet-lite-pytorch 0.1.0 under PyTorch 2.13, on `pattern()`.
TORCH_LOGITS = {902: 3.266236, 446: 3.255350, 892: 3.174645, 418: 3.164541, 677: 3.100550}
TORCH_FEATURES = {(4, 4): 14.965534, (0, 8): 18.809475}


def test_efficientnet_agrees_with_the_port_for_pytorch(settings: Settings, store: Store) -> None:
    from assistant.backends.efficientnet import prepare

    eyes = Plugins(settings).make("eyes", "efficientnet", store)
    features, evidence = (maps[0] for maps in eyes.maps(prepare(pattern())[None]))
    logits = evidence.mean((0, 1))
    assert list(np.argsort(-logits)[:5]) == list(TORCH_LOGITS)
    assert logits[list(TORCH_LOGITS)] == pytest.approx(list(TORCH_LOGITS.values()), abs=1e-3)
    assert features.shape == (9, 9, 1280 + 208)
    for place, total in TORCH_FEATURES.items():
        assert float(features[place][:1280].sum()) == pytest.approx(total, abs=1e-2)
    last, earlier = features[..., :1280].std(), features[..., 1280:].std()
    assert 1 / 3 < earlier / last < 3, "they weigh about the same"
    assert logits.sum() == pytest.approx(-46.50905, abs=5e-2)


def test_a_mirrored_picture_has_mirrored_features(settings: Settings, store: Store) -> None:
    """What the network makes of one side alone differs; the eyes look at both."""
    from assistant.backends.efficientnet import prepare

    eyes = Plugins(settings).make("eyes", "efficientnet", store)
    seen, mirrored = eyes.encode(pattern())[0], eyes.encode(np.ascontiguousarray(pattern()[:, ::-1]))[0]
    assert np.allclose(seen, mirrored[:, ::-1], atol=1e-4)
    one_side = eyes.maps(prepare(pattern())[None])[0][0]
    assert seen.shape == one_side.shape and not np.allclose(seen, one_side, atol=0.1)


def test_efficientnet_tells_where_a_label_comes_from(settings: Settings, store: Store) -> None:
    from assistant.backends.efficientnet import classes

    eyes = Plugins(settings).make("eyes", "efficientnet", store)
    evidence = eyes.encode(pattern())[1].reshape(81, -1)
    assert np.array_equal(eyes.places(Frame(pattern()), classes()[902][1][0]), evidence[:, 902])
    cranes = [index for index, (_, names) in enumerate(classes()) if names[0] == "crane"]
    best = evidence[:, cranes].mean(0).max()
    assert len(cranes) == 2 and eyes.places(Frame(pattern()), "crane").mean() == pytest.approx(best)


def test_a_thousand_classes() -> None:
    from assistant.backends.efficientnet import classes

    assert len(classes()) == 1000 and len({synset for synset, _ in classes()}) == 1000
    assert classes()[0] == ("n01440764", ("tench", "Tinca tinca"))
    assert classes()[207][1][0] == "golden retriever" and classes()[999][1][0] == "toilet tissue"


def test_a_class_lies_where_its_evidence_hangs_together() -> None:
    from assistant.backends.efficientnet import locate

    evidence = np.full((9, 9), -1.0, np.float32)
    evidence[6:8, 1:3] = 5.0
    evidence[7, 1] = 8.0
    evidence[0, 8] = 7.0  # strong, but apart from the strongest
    assert locate(evidence) == Box(1 / 9, 6 / 9, 3 / 9, 8 / 9)
    assert locate(evidence).place == "lower left"
    assert locate(np.full((9, 9), -1.0, np.float32)).right > 0


def written(*lines: tuple[str, tuple[int, int]], size: tuple[int, int] = (420, 900)) -> Pixels:
    picture = np.full((*size, 3), 255, np.uint8)
    for text, place in lines:
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (0, 0, 0), 3, cv2.LINE_AA)
    return picture


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("no_network")
def test_text_is_read_in_reading_order(settings: Settings, store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    reader = Plugins(settings).make("reader", "rapidocr", store)
    picture = written(("TOTAL", (40, 360)), ("12.80", (600, 366)), ("OPEN DOOR", (300, 80)), ("Exit left", (40, 220)))
    percept = reader.read(Frame(picture), NOTHING)
    assert percept.text == "OPEN DOOR\nExit left\nTOTAL\n12.80"
    places = [region.box.place for region in percept.regions or ()]
    assert places == ["upper centre", "left", "lower left", "lower right"]
    assert all(region.probability > 0.5 for region in percept.regions or ())
    assert capfd.readouterr() == ("", "")


def test_a_page_that_stands_on_its_head_is_read(text_reader: Reader) -> None:
    picture = written(("OPEN DOOR", (60, 80)), ("Exit left", (40, 220)), ("TOTAL", (40, 360)), ("12.80", (600, 366)))
    percept = text_reader.read(Frame(np.ascontiguousarray(picture[::-1, ::-1])), NOTHING)
    assert percept.text == "OPEN DOOR\nExit left\nTOTAL\n12.80"
    assert [region.box.place for region in percept.regions or ()][-1] == "upper left"


def test_a_picture_without_text(text_reader: Reader, capfd: pytest.CaptureFixture[str]) -> None:
    percept = text_reader.read(Frame(np.full((300, 400, 3), 120, np.uint8)), NOTHING)
    assert percept.regions == () and percept.text == ""
    assert text_reader.read(Frame(np.zeros((1, 1, 3), np.uint8)), NOTHING).regions == ()
    assert capfd.readouterr() == ("", "")


def test_rows_that_slope_are_still_rows() -> None:
    from assistant.layout import in_reading_order

    def region(text: str, left: float, top: float) -> TextRegion:
        return TextRegion(text, Box(left, top, left + 0.2, top + 0.05), 1.0)

    mixed = [region("d", 0.5, 0.205), region("b", 0.5, 0.115), region("c", 0.1, 0.2), region("a", 0.1, 0.1)]
    assert [found.text for found in in_reading_order(mixed)] == ["a", "b", "c", "d"]


def code(kind: Any, text: str) -> Pixels:
    import zxingcpp

    image = np.array(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=4))
    return np.stack([np.pad(image, 60, constant_values=255)] * 3, -1).astype(np.uint8)


def test_codes_of_several_kinds(code_reader: Reader) -> None:
    import zxingcpp

    formats = zxingcpp.BarcodeFormat
    for kind, text, name in (
        (formats.QRCode, "https://example.org/ä", "QR_CODE"),
        (formats.EAN13, "4006381333931", "EAN_13"),
        (formats.UPCA, "012345678905", "UPC_A"),
        (formats.Code128, "Shelf 12", "CODE_128"),
        (formats.DataMatrix, "abc", "DATA_MATRIX"),
    ):
        picture = code(kind, text)
        light_on_dark = [255 - picture] if name in ("QR_CODE", "DATA_MATRIX") else []
        for turned in (picture, np.rot90(picture), np.rot90(picture, 2), *light_on_dark):
            found = code_reader.read(Frame(np.ascontiguousarray(turned)), NOTHING).codes
            assert found is not None and [(one.format, one.text) for one in found] == [(name, text)]
            assert found[0].box.place == "centre"


def test_two_codes_in_one_picture_and_none(code_reader: Reader) -> None:
    import zxingcpp

    upper, lower = code(zxingcpp.BarcodeFormat.QRCode, "one"), code(zxingcpp.BarcodeFormat.QRCode, "two")
    found = code_reader.read(Frame(np.concatenate([upper, lower])), NOTHING).codes
    assert [one.text for one in found or ()] == ["one", "two"]
    assert code_reader.read(Frame(pattern()), NOTHING).codes == ()
    assert code_reader.read(Frame(np.zeros((1, 1, 3), np.uint8)), NOTHING).codes == ()


def test_no_code_is_seen_where_there_is_none(code_reader: Reader, shared_data: Path) -> None:
    from assistant import pictures

    empty = sorted((shared_data / "codes" / "images").glob("falsepositives*.png"))
    assert empty
    for path in empty:
        assert code_reader.read(pictures.read(path), NOTHING).codes == ()
