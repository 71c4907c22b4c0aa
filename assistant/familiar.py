"""What is asked politely, as it is asked of a friend: patterns of requests know the familiar forms alone.

"Rappelez-moi", "pouvez-vous me rappeler" and "peux-tu me rappeler" all mean "rappelle-moi".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

_ASKING = {
    "de": r"(?:kannst du|könntest du|würdest du|können sie|könnten sie|würden sie)",
    "fr": r"(?:est ce que )?(?:tu peux|peux tu|tu pourrais|pourrais tu|vous pouvez|pouvez vous|pourriez vous)",
    "es": r"(?:me )?(?:puedes|podrías|puede|podría)",
    "it": r"(?:mi )?(?:puoi|potresti|può|potrebbe)",
}
"""Words before an infinitive by which something is asked for."""

_VERBS = {
    "fr": """
        ajoute ajoutez ajouter; annule annulez annuler; appelle appelez appeler; apprends apprenez apprendre;
        arrête arrêtez arrêter; attends attendez attendre; compte comptez compter; continue continuez continuer;
        convertis convertissez convertir; dis dites dire; dis_moi dites_moi me_dire; écris écrivez écrire;
        efface effacez effacer; enlève enlevez enlever; épelle épelez épeler; éteins éteignez éteindre;
        lance lancez lancer; lis lisez lire; lis_moi lisez_moi me_lire; mets mettez mettre; mets_moi mettez_moi
        me_mettre; note notez noter; oublie oubliez oublier; parle parlez parler; programme programmez programmer;
        raconte racontez raconter; raconte_moi racontez_moi me_raconter; rappelle_moi rappelez_moi me_rappeler;
        rappelle_toi rappelez_vous te_rappeler; règle réglez régler; répète répétez répéter; retiens retenez retenir;
        retire retirez retirer; réveille_moi réveillez_moi me_réveiller; souviens_toi souvenez_vous te_souvenir;
        supprime supprimez supprimer; traduis traduisez traduire; tire tirez tirer; vide videz vider;
        n'oublie_pas n'oubliez_pas; peux_tu pouvez_vous; sais_tu savez_vous; vois_tu voyez_vous; es_tu êtes_vous;
        as_tu avez_vous; tais_toi taisez_vous; aide_moi aidez_moi m'aider; choisis choisissez choisir""",
    "es": """
        acuérdate_de acuérdese_de acordarte_de; agrega agregue agregar; anota anote anotar; añade añada añadir;
        apaga apague apagar; apunta apunte apuntar; ayúdame ayúdeme ayudarme; borra borre borrar;
        calcula calcule calcular; cancela cancele cancelar; cállate cállese; convierte convierta convertir;
        continúa continúe continuar; cuenta cuente contar; cuéntame cuénteme contarme; deletrea deletree deletrear;
        despiértame despiérteme despertarme; di diga decir; dime dígame decirme; elige elija elegir;
        espera espere esperar; habla hable hablar; inicia inicie iniciar; lanza lance lanzar; lee lea leer;
        léeme léame leerme; olvida olvide olvidar; no_olvides no_olvide; pon ponga poner; ponme póngame ponerme;
        programa programe programar; quita quite quitar; recuerda recuerde recordar; recuérdame recuérdeme recordarme;
        repite repita repetir; sigue siga seguir; tira tire tirar; traduce traduzca traducir;
        elimina elimine eliminar; haz haga hacer; crea cree crear;
        mete meta meter; tacha tache tachar; toma tome tomar; vacía vacíe vaciar;
        qué_ves qué_ve;
        qué_puedes qué_puede; sabes sabe""",
    "it": """
        aggiungi aggiunga aggiungere; aiutami mi_aiuti aiutarmi; annulla annulli annullare; aspetta aspetti aspettare;
        avvia avvii avviare; calcola calcoli calcolare; cancella cancelli cancellare; continua continui continuare;
        converti converta convertire; conta conti contare; dimentica dimentichi; non_dimenticare non_dimentichi;
        dimmi mi_dica dirmi; ferma fermi fermare; fermati si_fermi; imposta imposti impostare; lancia lanci lanciare;
        leggi legga leggere; leggimi mi_legga leggermi; metti metta mettere; mettimi mi_metta mettermi;
        parla parli parlare; raccontami mi_racconti raccontarmi; ricorda ricordi ricordare;
        ricordami mi_ricordi ricordarmi; ricordati si_ricordi ricordarti; ripeti ripeta ripetere;
        scegli scelga scegliere; scrivi scriva scrivere; segna segni segnare; spegni spenga spegnere;
        svegliami mi_svegli svegliarmi; svuota svuoti svuotare; tira tiri tirare; togli tolga togliere;
        traduci traduca tradurre; annota annoti annotare; crea crei creare; elimina elimini eliminare;
        fai faccia fare; prendi prenda prendere; rimuovi rimuova rimuovere; cosa_vedi cosa_vede;
        cosa_puoi cosa_può; sai sa""",
    "de": """
        merk_dir merken_sie_sich dir_merken; lies lesen_sie lesen; sprich sprechen_sie sprechen; gib geben_sie geben;
        nimm nehmen_sie nehmen; vergiss vergessen_sie vergessen; hilf_mir helfen_sie_mir mir_helfen;
        hör_auf hören_sie_auf aufhören; sei seien_sie; kannst_du können_sie; hast_du haben_sie; bist_du sind_sie;
        weißt_du wissen_sie; siehst_du sehen_sie""",
}
"""Familiar imperatives, each with its polite form and its infinitive, by language; "_" is a space."""

LANGUAGES = tuple(_VERBS)
"""Languages whose polite forms are known, ISO 639-1."""

_SIE = re.compile(r"^((?:(?:bitte|und|dann|also|ja|nein|okay) )*\w{3,}?)e?n sie\b")
"""Other verbs of German: "stellen Sie" is "stelle", "erinnern Sie" is "erinnere"."""
_EZ = re.compile(r"^((?:(?:et|alors|bon|non|oui) )*\w{2,}?)ez\b")
"""The same of French: "rayez" is "raye"."""
_AT_THE_END = {
    "wecken": "weck",
    "erinnern": "erinnere",
    "stellen": "stell",
    "setzen": "setz",
    "schreiben": "schreib",
    "löschen": "lösch",
    "sagen": "sag",
    "erzählen": "erzähl",
    "vorlesen": "lies",
    "buchstabieren": "buchstabiere",
}
"""German verbs that stand at the end of a question, and how they stand at the beginning of a request."""


def familiar(said: str, language: str) -> str:
    """Return a request, in small letters without signs, in familiar words; as it is where it has no polite ones.

    >>> familiar("pouvez vous me rappeler à 8h d'appeler anna", "fr"), familiar("stellen sie einen wecker", "de")
    ("rappelle moi à 8h d'appeler anna", 'stelle einen wecker')
    >>> familiar("können sie mich um sieben wecken", "de"), familiar("remind me", "en")
    ('weck mich um sieben', 'remind me')
    """
    if language not in _VERBS:
        return said
    polite, forms, infinitive = _forms(language)
    said = infinitive.sub(lambda match: forms[match[1]], said, count=1)
    if language == "de" and (question := re.match(rf"(?:bitte )?{_ASKING['de']} (?:bitte )?", said)):
        what, _, verb = said[question.end() :].rpartition(" ")
        if verb in _AT_THE_END:
            return f"{_AT_THE_END[verb]} {what}"
    said = polite.sub(lambda match: forms[match[1]], said, count=1)
    if other := {"de": _SIE, "fr": _EZ}.get(language):
        said = other.sub(r"\1e", said)
    return said


@cache
def _forms(language: str) -> tuple[re.Pattern[str], Mapping[str, str], re.Pattern[str]]:
    """Return a pattern of polite forms, the familiar form of each form, and a pattern of questions for something."""
    forms: dict[str, str] = {}
    polite, infinitives = [], []
    for verb in _VERBS[language].split(";"):
        friendly, formal, *infinitive = (form.replace("_", " ") for form in verb.split())
        forms |= dict.fromkeys((formal, *infinitive), friendly)
        polite.append(formal)
        infinitives += infinitive

    def any_of(words: list[str]) -> str:
        return "|".join(sorted(map(re.escape, words), key=len, reverse=True))

    asked = re.compile(rf"\b{_ASKING[language]} ({any_of(infinitives)})\b")
    return re.compile(rf"\b({any_of(polite)})\b"), forms, asked
