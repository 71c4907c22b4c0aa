"""Polite requests mean what familiar ones do."""

from __future__ import annotations

import pytest

from assistant.familiar import familiar
from assistant.orders import Order, order_in


@pytest.mark.parametrize(
    ("language", "polite", "friendly"),
    [
        ("fr", "rappelez moi à 8h d'appeler anna", "rappelle moi à 8h d'appeler anna"),
        ("fr", "pouvez vous me rappeler de sortir", "rappelle moi de sortir"),
        ("fr", "est ce que tu peux ajouter du pain à la liste", "ajoute du pain à la liste"),
        ("fr", "souvenez vous que j'ai faim", "souviens toi que j'ai faim"),
        ("fr", "que pouvez vous faire", "que peux tu faire"),
        ("fr", "rayez le lait de la liste", "raye le lait de la liste"),
        ("de", "stellen sie einen timer auf zehn minuten", "stelle einen timer auf zehn minuten"),
        ("de", "bitte wecken sie mich um sieben", "bitte wecke mich um sieben"),
        ("de", "erinnern sie mich an anna", "erinnere mich an anna"),
        ("de", "und dann bitte wecken sie mich", "und dann bitte wecke mich"),
        ("de", "merken sie sich dass ich hunger habe", "merk dir dass ich hunger habe"),
        ("de", "können sie mich um acht an die tabletten erinnern", "erinnere mich um acht an die tabletten"),
        ("de", "könntest du bitte einen wecker auf sieben stellen", "stell einen wecker auf sieben"),
        ("de", "was können sie", "was kannst du"),
        ("de", "was kosten sie", "was kosten sie"),
        ("es", "despiérteme a las 7", "despiértame a las 7"),
        ("es", "puede recordarme que salga", "recuérdame que salga"),
        ("es", "añada leche a la lista", "añade leche a la lista"),
        ("it", "mi ricordi di uscire", "ricordami di uscire"),
        ("it", "può svegliarmi alle sette", "svegliami alle sette"),
        ("it", "aggiunga latte alla lista", "aggiungi latte alla lista"),
        ("en", "could you remind me", "could you remind me"),
        ("pl", "proszę pana", "proszę pana"),
    ],
)  # fmt: skip
def test_a_polite_request_becomes_a_familiar_one(language: str, polite: str, friendly: str) -> None:
    assert familiar(polite, language) == friendly
    assert familiar(friendly, language) == friendly


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ("Vergessen Sie alles!", Order.FORGET),
        ("Sprechen Sie langsamer.", Order.SLOWER),
        ("Parlez plus lentement, s'il vous plaît.", Order.SLOWER),
        ("Répétez.", Order.REPEAT),
        ("Repita, por favor.", Order.REPEAT),
        ("Hable más alto.", Order.LOUDER),
        ("Parli più forte, per favore.", Order.LOUDER),
        ("Si fermi.", Order.STOP),
        ("Cállese.", Order.STOP),
        ("Stellen Sie einen Timer.", None),
    ],
)
def test_orders_may_be_polite(said: str, order: Order | None) -> None:
    assert order_in(said) == order
