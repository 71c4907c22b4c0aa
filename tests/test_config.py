import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import config
from assistant.errors import SettingError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSISTANT_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_later_wins(folder):
    (folder / "config.toml").write_text("[voice]\nspeed = 1.1\n[asr]\nbeam = 2\n")
    environ = {"ASSISTANT_ASR_BEAM": "3", "ASSISTANT_VAD_THRESHOLD": "0.4"}
    settings = config.load(None, ["vad.threshold=0.3"], environ)
    assert (settings.voice.speed, settings.asr.beam, settings.vad.threshold) == (1.1, 3, 0.3)


def test_every_shipped_profile_loads(folder):
    for name in config.profiles():
        assert config.load(name, environ={}).profile == name


def test_unknown_key_names_file_line_and_nearest(folder):
    (folder / "config.toml").write_text("# mine\n[voice]\nspede = 1.1\n")
    with pytest.raises(SettingError, match=r"config\.toml, line 3: .*'voice\.spede'; did you mean 'voice\.speed'"):
        config.load(None, environ={})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("voice.speed=fast", "voice.speed must be a number, not 'fast'"),
        ("asr.beam=1.5", "asr.beam must be a whole number"),
        ("store.offline=maybe", "store.offline must be true or false"),
        ("nonsense", "--set takes section.key=value"),
        ("vad.threshold=5", "vad.threshold must be from 0.2 to 0.95, not 5.0"),
        ("vad.threshold=0", "vad.threshold must be from 0.2 to 0.95, not 0.0"),
        ("talk.partials=nan", "talk.partials must be a finite number, not nan"),
        ("turn.quick=nan", "turn.quick must be a finite number"),
        ("turn.patient=1e400", "turn.patient must be a finite number, not inf"),
        ("draw.guidance=-inf", "draw.guidance must be a finite number"),
        ("wake.sleep_after=0", "wake.sleep_after must be at least 1, not 0.0"),
        ("asr.threads=-1", "asr.threads must be at least 0, not -1"),
        (f"brain.gpu_layers=-{10**400}", "brain.gpu_layers must be at least -1"),
        ("voize.speed=1", "did you mean 'voice.speed'"),
    ],
)
def test_wrong_values(folder, override, message):
    with pytest.raises(SettingError, match=message):
        config.load(None, [override], {})


def test_ill_typed_in_file(folder):
    (folder / "config.toml").write_text("[asr]\nbeam = true\n")
    with pytest.raises(SettingError, match=r"line 2: asr\.beam must be a whole number, not True"):
        config.load(None, environ={})


def test_out_of_range_in_file(folder):
    (folder / "config.toml").write_text("[turn]\npatient = -1\n")
    with pytest.raises(SettingError, match=r"line 2: turn\.patient must be from 0.05 to 60, not -1\.0"):
        config.load(None, environ={})
    (folder / "config.toml").write_text(f"[turn]\npatient = {10**400}\n")
    with pytest.raises(SettingError, match=r"line 2: turn\.patient must be a number"):
        config.load(None, environ={})


def test_every_range_is_of_a_number_and_holds_its_default():
    known = config.flatten(config.Settings())
    for key, (least, most) in config.RANGES.items():
        assert least <= known[key] <= most


def test_not_utf8_and_not_toml(folder):
    (folder / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match="UTF-8"):
        config.load(None, environ={})
    (folder / "config.toml").write_text("[asr\n")
    with pytest.raises(SettingError, match="line 1"):
        config.load(None, environ={})


def test_unknown_profile(folder):
    with pytest.raises(SettingError, match="no profile 'embeded'; did you mean 'embedded'"):
        config.load("embeded", environ={})


def test_offline_variable(folder):
    assert config.load(None, environ={"ASSISTANT_OFFLINE": "1"}).store.offline


def test_save_keeps_comments_and_checks(folder):
    (folder / "config.toml").write_text("# my settings\n[voice]\n# not too fast\nspeed = 1.0\n")
    config.save("voice.speed", "1.25")
    config.save("asr.language", "de")
    config.save("profile", "embedded")
    text = (folder / "config.toml").read_text()
    assert "# my settings" in text and "# not too fast" in text
    settings = config.load(None, environ={})
    assert (settings.voice.speed, settings.asr.language, settings.profile) == (1.25, "de", "embedded")
    with pytest.raises(SettingError):
        config.save("voice.sped", "2")
    assert (folder / "config.toml").read_text() == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=40))
def test_any_text_survives_the_file(tmp_path_factory, text):
    import tomllib

    assert tomllib.loads(f"key = {config.to_toml(text)}")["key"] == text


def test_every_setting_has_a_type_that_the_command_line_can_give(folder):
    settings = config.load(None, environ={})
    for key, value in config.flatten(settings).items():
        if key == "profile":
            continue
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        section, name = key.split(".")
        loaded = config.load(None, [f"{key}={text}"], {})
        assert getattr(getattr(loaded, section), name) == value
    assert dataclasses.is_dataclass(settings)
