"""Translation models of the transformers library: Marian (one pair of languages), NLLB and M2M-100 (many)."""

from __future__ import annotations

import warnings
from typing import Any

import torch
import transformers

from ..config import Settings
from ..errors import InputError
from ..store import Store
from ..translation import LANGUAGES
from .hub_model import Source, best_device, precision

BEAMS = 4
"""Sentences that are followed side by side; the best is taken."""

NLLB_CODES = {
    "ar": "arb_Arab", "bg": "bul_Cyrl", "ca": "cat_Latn", "cs": "ces_Latn", "da": "dan_Latn", "de": "deu_Latn",
    "el": "ell_Grek", "en": "eng_Latn", "es": "spa_Latn", "et": "est_Latn", "fa": "pes_Arab", "fi": "fin_Latn",
    "fr": "fra_Latn", "he": "heb_Hebr", "hi": "hin_Deva", "hr": "hrv_Latn", "hu": "hun_Latn", "id": "ind_Latn",
    "it": "ita_Latn", "ja": "jpn_Jpan", "ko": "kor_Hang", "lt": "lit_Latn", "lv": "lvs_Latn", "nl": "nld_Latn",
    "no": "nob_Latn", "pl": "pol_Latn", "pt": "por_Latn", "ro": "ron_Latn", "ru": "rus_Cyrl", "sk": "slk_Latn",
    "sl": "slv_Latn", "sr": "srp_Cyrl", "sv": "swe_Latn", "th": "tha_Thai", "tr": "tur_Latn", "uk": "ukr_Cyrl",
    "vi": "vie_Latn", "zh": "zho_Hans",
}  # fmt: skip
"""FLORES-200 codes, which NLLB knows languages by."""


class HubTranslator:
    """Translates with one encoder-decoder model.

    ``translation.model`` is a folder, an id of the store, or ``owner/name`` of the hub. Raises
    :class:`ModelError` where it is missing or no translation model.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._name = settings.translation.model
        source = Source.of(self._name, "translation.model", settings, store)
        with warnings.catch_warnings():
            # Marian's would like sacremoses for the quotation marks of web pages; it does without.
            warnings.filterwarnings("ignore", message=".*sacremoses")
            self._tokenizer: Any = source.load(transformers.AutoTokenizer.from_pretrained)
        model = source.load(transformers.AutoModelForSeq2SeqLM.from_pretrained, dtype=precision())
        self._model: Any = model.to(best_device()).eval()

    def translate(self, text: str, source: str, target: str) -> str:
        """Return ``text`` in another language.

        Raises :class:`InputError` where the model does not know one of them, or needs to be told the source.
        """
        wishes = self._languages(source, target)
        inputs = self._tokenizer([text], return_tensors="pt", truncation=True).to(self._model.device)
        longest = min(
            3 * int(inputs["input_ids"].shape[1]) + 32, getattr(self._model.config, "max_position_embeddings", 512) - 1
        )
        with torch.inference_mode():
            tokens = self._model.generate(
                **inputs, num_beams=BEAMS, do_sample=False, max_new_tokens=longest, max_length=None, **wishes
            )
        return str(self._tokenizer.decode(tokens[0], skip_special_tokens=True)).strip()

    def _languages(self, source: str, target: str) -> dict[str, int]:
        """Tell the model its languages; return what its generation wants to know."""
        kind = self._model.config.model_type
        if kind == "marian":
            self._check_pair(source, target)
            return {}
        known = self._tokenizer.get_vocab()
        codes = {code: NLLB_CODES[code] if NLLB_CODES[code] in known else f"__{code}__" for code in LANGUAGES}
        for code in (source, target):
            if code and codes[code] not in known:
                raise InputError(f"{self._name} does not know {LANGUAGES[code]}; set translation.model to another")
        if not source:
            raise InputError(f"{self._name} must be told the language of the text; add --from CODE")
        self._tokenizer.src_lang = codes[source] if codes[source] in NLLB_CODES.values() else source
        return {"forced_bos_token_id": known[codes[target]]}

    def _check_pair(self, source: str, target: str) -> None:
        """Raise :class:`InputError` where a Marian model is told to translate another pair than its own."""
        for wanted, own in ((source, self._tokenizer.source_lang), (target, self._tokenizer.target_lang)):
            if wanted and own in LANGUAGES and wanted != own:
                pair = f"{self._tokenizer.source_lang} into {self._tokenizer.target_lang}"
                raise InputError(f"{self._name} translates {pair} only; set translation.model to another")
