"""Requests in a few wordings, and the plugins that answer them: what cannot be done, thanks, jokes."""

from __future__ import annotations

import re

import pytest

from assistant.config import Settings
from assistant.plugins import Plugins
from assistant.tools import Toolbox
from assistant.topics import Topics

from .direct import replies


def test_a_request_has_a_topic_and_a_language() -> None:
    topics = Topics({"time": {"en": "what time is it", "de": "wie spät ist es"}, "day": {"en": "what day"}}, "(?:so )?")
    assert topics.meant("So, what time is it?") == ("time", "en") and topics.meant("Wie spät ist es?") == ("time", "de")
    assert re.fullmatch(topics.pattern, "so what day") and not re.fullmatch(topics.pattern, "what day is it")
    with pytest.raises(ValueError, match="none of time, day"):
        topics.meant("Who is it?")


@pytest.fixture
def toolbox(settings: Settings) -> Toolbox:
    return Toolbox(Plugins(settings).tools, 5.0)


@pytest.mark.parametrize(
    ("language", "dialogue", "told"),
    [
        ("de", "Wie wird das Wetter morgen? | Ruf bitte meine Tochter an. | Mach das Licht an. | Spiel etwas Musik.",
         ["Wetterbericht", "Telefon", "ausschalten", "Musik"]),
        ("de", "Schreib Anna eine Nachricht, dass ich komme. | Was gibt's Neues? | Danke schön!",
         ["Nachrichten", "Nachrichten", "Gern"]),
        ("fr", "Quel temps fera-t-il demain ? | Appelle ma fille. | Allume la lumière. | Merci beaucoup.",
         ["météo", "appeler", "allumer", "plaisir"]),
        ("es", "¿Qué tiempo hará mañana? | Llama a mi hija. | Enciende la luz. | Pon música. | Gracias.",
         ["meteorológico", "llamar", "encender", "música", "De nada"]),
        ("it", "Che tempo farà domani? | Chiama mia figlia. | Accendi la luce. | Metti un po' di musica. | Grazie!",
         ["previsioni", "telefonare", "accendere", "musica", "Prego"]),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_the_persons_language(
    toolbox: Toolbox, language: str, dialogue: str, told: list[str]
) -> None:
    said = replies(toolbox, dialogue, language)
    assert [part in one for part, one in zip(told, said, strict=True)] == [True] * len(told), said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Mach den Wecker aus."), ("de", "Mach mir einen Vorschlag."), ("fr", "Appelle-moi Marc."),
        ("it", "Chiamami Marco."), ("es", "Apaga la alarma."), ("en", "Turn on the light."), ("en", "Thanks!"),
        ("en", "Tell me a joke."), ("de", "Danke, und wie spät ist es in Tokio?"),
    ],
)  # fmt: skip
def test_other_requests_are_not_taken_for_impossible_ones(toolbox: Toolbox, language: str, said: str) -> None:
    (told,) = replies(toolbox, said, language)
    assert not re.search("ausschalten|appeler|telefonare|encender|Gern|plaisir|Wanderine", told)


def test_every_joke_is_told_before_one_comes_again(toolbox: Toolbox) -> None:
    told = replies(toolbox, " | ".join(["Erzähl mir einen Witz.", *["Noch einen!"] * 11]), "de")
    assert len(set(told[:6])) == len(set(told[6:])) == 6 and "" not in told
    assert replies(toolbox, "Raconte-moi une blague. | Encore une !", "fr")[1] != ""
