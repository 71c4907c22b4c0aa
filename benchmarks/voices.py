"""How well what the voices say is understood: words that a recogniser writes otherwise than they were written.

::

    python -m benchmarks.voices

Twelve replies in each language are spoken by the usual voice whatever it speaks, by the one that the assistant
chooses, and by each engine of ``voice.others``, and written down by the recogniser of the settings. Numbers count as
figures. A person may understand what a recogniser does not: this compares voices, and says little of one alone.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from assistant import sound
from assistant.cli import App
from assistant.errors import AssistantError
from assistant.evaluation.asr import counts
from assistant.stages import Recognizer
from assistant.types import AudioChunk

Speak = Callable[[str], Iterable[AudioChunk]]

REPLIES = {
    "en": """It is a quarter past three. I will remind you at eight to take your pills. Milk, eggs and butter are on
        your shopping list. I see a dog that plays in the snow. 15% of 80 is 12. I can't recognise it, the picture is
        too dark. Your alarm will ring tomorrow at 7:30. It is 25 days until Christmas. The capital of Australia is
        Canberra. If you can't breathe, call for help at once. The sign says caution, wet paint. In the centre there
        is a banana.""",
    "de": """Es ist Viertel nach drei. Ich erinnere dich um acht Uhr daran, deine Tabletten zu nehmen. Auf deiner
        Einkaufsliste stehen Milch, Eier und Butter. Ich sehe einen Hund, der im Schnee spielt. 15% von 80 sind 12.
        Ich kann es nicht erkennen, das Bild ist zu dunkel. Dein Wecker klingelt morgen um 7:30 Uhr. Bis Weihnachten
        sind es noch 25 Tage. Die Hauptstadt von Australien ist Canberra. Wenn du keine Luft bekommst, ruf sofort
        Hilfe. Auf dem Schild steht, Vorsicht, frisch gestrichen. In der Mitte liegt eine Banane.""",
    "fr": """Il est trois heures et quart. Je vous rappellerai de prendre vos médicaments à huit heures. Sur votre liste
        de courses, il y a du lait, des œufs et du beurre. Je vois un chien qui joue dans la neige. 15% de 80 font
        12. Je ne peux pas le reconnaître, l'image est trop sombre. Votre réveil sonnera demain à 7h30. Il reste 25
        jours jusqu'à Noël. La capitale de l'Australie est Canberra. Si vous ne pouvez pas respirer, appelez tout de
        suite à l'aide. Sur le panneau, il est écrit attention, peinture fraîche. Au milieu, il y a une banane.""",
    "es": """Son las tres y cuarto. Te recordaré a las ocho que tomes tus pastillas. En tu lista de la compra hay leche,
        huevos y mantequilla. Veo un perro que juega en la nieve. El 15% de 80 es 12. No puedo reconocerlo, la
        imagen es demasiado oscura. Tu alarma sonará mañana a las 7:30. Faltan 25 días para Navidad. La capital de
        Australia es Canberra. Si no puedes respirar, pide ayuda enseguida. En el cartel dice cuidado, recién
        pintado. En el centro hay un plátano.""",
    "it": """Sono le tre e un quarto. Ti ricorderò alle otto di prendere le tue pastiglie. Nella tua lista della spesa
        ci sono latte, uova e burro. Vedo un cane che gioca nella neve. Il 15% di 80 è 12. Non riesco a riconoscerlo,
        l'immagine è troppo scura. La tua sveglia suonerà domani alle 7:30. Mancano 25 giorni a Natale. La capitale
        dell'Australia è Canberra. Se non riesci a respirare, chiama subito aiuto. Sul cartello c'è scritto
        attenzione, vernice fresca. Al centro c'è una banana.""",
}
"""Replies as the assistant gives them, by language."""


def main() -> None:
    """Speak, listen, and print one row a voice."""
    app = App("embedded")
    print(f"{'language':10}{'voice':28}{'words wrong':>12}{'s a reply':>11}")
    for language, text in REPLIES.items():
        replies = [f"{one.strip()}." for one in " ".join(text.split()).rstrip(".").split(". ")]
        hearing = dataclasses.replace(app.settings, asr=dataclasses.replace(app.settings.asr, language=language))
        recognizer = app.plugins.make("asr", hearing.asr.engine, app.store, settings=hearing)
        for name, speak in _voices(app, language):
            wrong, seconds = _understood(replies, speak, recognizer, language)
            print(f"{language:10}{name:28}{wrong:12.2f}{seconds:11.3f}")


def _voices(app: App, language: str) -> Iterator[tuple[str, Speak]]:
    """Yield the name of each voice and how it speaks a language."""
    voices = app.kit.voices
    yield "usual, whatever it speaks", voices.usual.speak
    yield "chosen", lambda clause: voices.speak(clause, language)
    for engine in app.settings.voice.others:
        wish = dataclasses.replace(app.settings.voice, engine=engine, language=language)
        settings = dataclasses.replace(app.settings, voice=wish)
        try:
            yield engine, app.plugins.make("voice", engine, app.store, settings=settings).speak
        except AssistantError as error:
            print(f"{language:10}{engine:28}{error}")


def _understood(replies: Sequence[str], speak: Speak, recognizer: Recognizer, language: str) -> tuple[float, float]:
    """Return the share of words that are written otherwise, and the seconds that speaking one reply takes."""
    errors = words = 0
    spent = 0.0
    for reply in replies:
        begin = time.perf_counter()
        chunks = list(speak(reply))
        spent += time.perf_counter() - begin
        said = AudioChunk(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].rate)
        heard = recognizer.transcribe(sound.resample(said, 16_000)).text
        wrong, written, *_ = counts(_normal(reply, language), _normal(heard, language))
        errors, words = errors + wrong, words + written
    return errors / words, spent / len(replies)


def _normal(text: str, language: str) -> str:
    from text_to_num import alpha2digit
    from whisper_normalizer.basic import BasicTextNormalizer

    return str(BasicTextNormalizer()(alpha2digit(text.replace("%", " %"), language)))


if __name__ == "__main__":
    main()
