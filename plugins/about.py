"""What the assistant knows of itself. A small language model says that it is a human being, or that OpenAI made it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from assistant import hookimpl
from assistant.config import Settings
from assistant.topics import Topics

_PERSON = {
    "en": r"(?:are|aren't) you (?:really )?(?:an? )?(?:real |actual |living )?"
    r"(?:human(?: being)?|person|robot|machine|computer|man|woman|ai|bot|program|real|alive|living)"
    r"(?: or (?:an? )?(?:real )?\w+)?"
    r"|(?:am i|is this) (?:talking|speaking|chatting) (?:to|with) (?:an? )?(?:real |actual )?"
    r"(?:human(?: being)?|person|robot|machine|computer|ai|bot|somebody|someone)(?: or (?:an? )?(?:real )?\w+)?"
    r"|(?:what|who) are you(?: really)?|do you have (?:any )?(?:feelings|emotions|a body|a soul)|how old are you"
    r"|where (?:are|do) you (?:live|from|come from)",
    "de": r"(?:bist du|sind sie) (?:eine?n? )?(?:echte?r? )?"
    r"(?:mensch|person|roboter|maschine|computer|mann|frau|echt|ki)(?: oder eine?n? \w+)?"
    r"|(?:rede|spreche) ich mit eine[rm] (?:echten )?(?:menschen|person|maschine|computer)|(?:wer|was) bist du",
    "fr": r"(?:es tu|êtes vous|tu es|vous êtes) (?:une? )?(?:vraie? )?"
    r"(?:humaine?|personne|robot|machine|ordinateur|réele?)"
    r"|(?:qui|que) (?:es tu|êtes vous)|est ce que je parle à une vraie personne",
    "es": r"eres (?:una? )?(?:human[oa]|persona(?: real)?|robot|máquina|ordenador|computadora|real)"
    r"|(?:quién|qué) eres|estoy hablando con una persona(?: real)?",
    "it": r"sei (?:una? )?(?:uman[oa]|persona(?: vera)?|robot|macchina|computer|vero|vera)"
    r"|(?:chi|cosa) sei|sto parlando con una persona(?: vera)?",
}
_MAKER = {
    "en": r"who (?:made|created|built|programmed|developed|invented|trained|owns) you|who do you (?:work for|belong to)"
    r"|are you (?:chatgpt|chat gpt|gpt|siri|alexa|cortana|gemini|google(?: assistant)?|from \w+|made by \w+)"
    r"|(?:what|which) (?:language )?model (?:are you|do you use)",
    "de": r"wer hat (?:dich|sie) (?:gemacht|gebaut|entwickelt|programmiert)|bist du (?:chatgpt|siri|alexa)",
    "fr": r"qui (?:t'a|vous a) (?:créée?|fait|programmée?)|(?:es tu|tu es) (?:chatgpt|siri|alexa)",
    "es": r"quién te (?:hizo|creó|ha hecho|programó)|eres (?:chatgpt|siri|alexa)",
    "it": r"chi ti ha (?:fatto|creato|programmato)|sei (?:chatgpt|siri|alexa)",
}
_PRIVACY = {
    "en": r"(?!are you listening$)(?:do|are|will|can) you (?:always |secretly |still )?"
    r"(?:listen(?:ing)?|record(?:ing)?|spy(?:ing)?|watch(?:ing)?)"
    r"(?: to| on)?(?: (?:me|us|this|everything))?(?: (?:all the time|always|now))?"
    r"|(?:do|are|will) you (?:sav|stor|keep|send|upload|shar)(?:e|ing)? (?:\w+ ){0,3}(?:say|said|show|pictures?|photos?"
    r"|voice|data|conversations?|recordings?|words)(?: (?:to|with|on|in) .{1,30})?"
    r"|is (?:my data|this|it|what i say|our conversation) (?:private|safe with you|recorded|saved|stored|confidential)"
    r"|who (?:can |could )?(?:hears?|listens?)(?: (?:to|what))?(?: (?:me|us|this|i say))?"
    r"|(?:can|is) (?:other |some)?(?:people|anyone|anybody|body|one) (?:else )?(?:hear|listen)(?:ing)?"
    r"(?: (?:to|what))?(?: (?:me|us|i say|this))?"
    r"|where (?:is|are|does|do) (?:my data|what i say|my voice|the pictures|my pictures|my words)(?: (?:stored|go|"
    r"kept|saved))?"
    r"|what (?:do|have) you (?:know|stored|saved|recorded) (?:about|of) me",
    "de": r"nimmst du (?:mich |alles )?auf(?: was ich sage)?"
    r"|wer (?:kann )?(?:mich |uns )?hör(?:en|t (?:mit|mich|uns|zu))"
    r"|(?:hörst du|hört mir) (?:immer|jemand|die ganze zeit) (?:mit|zu)"
    r"|speicherst du (?:was ich sage|meine \w+|das)|sind meine daten (?:sicher|privat)",
    "fr": r"(?:est ce que )?tu (?:m'|nous )?(?:enregistres?|écoutes?)(?: tout le temps)?"
    r"|qui (?:m'|nous )?(?:écoute|entend)|mes données sont elles (?:privées|en sécurité)",
    "es": r"(?:me )?(?:estás )?(?:grabas|grabando|escuchas siempre)|quién (?:me|nos) (?:escucha|oye)"
    r"|(?:son|están) (?:privados|seguros) mis datos",
    "it": r"(?:mi )?(?:stai )?(?:registri|registrando|ascolti sempre)|chi (?:mi|ci) (?:ascolta|sente)"
    r"|i miei dati sono (?:privati|al sicuro)",
}
_INTERNET = {
    "en": r"(?:do|can) you (?:work|run) (?:offline|without (?:the |an )?internet(?: connection)?)"
    r"|are you (?:online|offline)"
    r"|(?:do you need|are you connected to|do you use|does this need) (?:the |an )?internet(?: connection)?",
    "de": r"brauchst du (?:das )?internet|(?:funktionierst|läufst|arbeitest) du ohne internet",
    "fr": r"(?:as tu|tu as) besoin d'internet",
    "es": r"necesitas internet",
    "it": r"hai bisogno di internet",
}
_HANDLING = {
    "en": r"how (?:do|can|could|should) i (?:stop|interrupt|quiet|silence|control|pause) you"
    r"|how (?:do|can) i make you (?:stop|slower|faster|louder|quieter|softer|speak \w+|talk \w+)"
    r"|(?:what|which) commands (?:are there|do you (?:know|understand))",
    "de": r"wie (?:kann ich dich|halte ich dich|stoppe ich dich)(?: (?:stoppen|anhalten|unterbrechen|an))?",
    "fr": r"comment (?:je t'arrête|t'arrêter|t'interrompre)",
    "es": r"cómo (?:te (?:paro|detengo|interrumpo)|puedo (?:pararte|detenerte|interrumpirte))",
    "it": r"come (?:ti (?:fermo|interrompo)|posso (?:fermarti|interromperti))",
}
_SKILLS = {
    "en": r"what (?:can|could) (?:you (?:do|help me with)|i (?:ask|do with|say to|use) you(?: for)?)(?: for me)?"
    r"|how (?:can|could) you help(?: me)?|what are you (?:for|good for|good at|able to do)",
    "de": r"was kannst du(?: alles)?(?: tun| machen)?(?: für mich)?|was kann ich dich fragen|wie kannst du mir helfen",
    "fr": r"(?:que|qu'est ce que) (?:peux tu|tu peux) faire|comment peux tu m'aider",
    "es": r"qué (?:puedes|sabes) hacer|cómo puedes ayudarme",
    "it": r"(?:che )?(?:cosa )?(?:puoi|sai) fare|come puoi aiutarmi",
}
_LANGUAGES = {
    "en": r"(?:what|which|how many) (?:other )?languages (?:do|can) you (?:speak|understand|know)"
    r"|(?:do|can) you (?:also )?(?:speak|understand|talk) (?:in )?(?:english|german|french|spanish|italian|"
    r"other languages)",
    "de": r"(?:welche|wie viele) sprachen (?:sprichst|kannst|verstehst) du"
    r"|(?:sprichst|verstehst|kannst) du (?:auch )?(?:deutsch|englisch|französisch|spanisch|italienisch)",
    "fr": r"(?:quelles|combien de) langues (?:parles tu|tu parles|comprends tu)"
    r"|(?:parles tu|tu parles|comprends tu) (?:aussi )?(?:le )?(?:français|anglais|allemand|espagnol|l'anglais|"
    r"italien)",
    "es": r"(?:qué|cuántos) idiomas (?:hablas|entiendes)"
    r"|(?:hablas|entiendes) (?:también )?(?:español|inglés|alemán|francés|italiano)",
    "it": r"(?:quali|quante|che) lingue (?:parli|capisci)"
    r"|(?:parli|capisci) (?:anche )?(?:l'|il )?(?:italiano|inglese|tedesco|francese|spagnolo)",
}
_BLIND = {
    "en": r"(?:i(?:'m| am)|my (?:wife|husband|mother|father|mom|dad|friend) is) (?:(?!not )\w+ )?(?:blind|"
    r"visually impaired|"
    r"losing my sight)|i (?:can't|cannot|can not|don't|do not|can hardly|can barely) (?:see|read)"
    r"(?: (?:very |so )?(?:well|much|anything))*|(?:can|could|do|will) you help (?:the blind|a blind person|"
    r"blind people)",
    "de": r"ich bin (?:\w+ )?(?:blind|sehbehindert)|ich (?:sehe|kann) (?:nichts?|nicht|kaum|schlecht)(?: (?:gut|"
    r"mehr|viel|sehen))*",
    "fr": r"je suis (?:aveugle|malvoyante?)|je (?:ne )?vois (?:pas|mal|plus)(?: (?:bien|très bien|rien))*",
    "es": r"(?:soy|estoy) cieg[oa]|no (?:puedo ver|veo)(?: (?:bien|nada|muy bien))*",
    "it": r"sono (?:ciec[oa]|non vedente|ipovedente)|non (?:vedo|ci vedo)(?: (?:bene|niente|molto bene))*",
}
_DEAF = {
    "en": r"i(?:'m| am) (?:(?!not )\w+ )?(?:deaf|hard of hearing)|i (?:can't|cannot|don't|"
    r"can hardly) hear (?:you )?(?:very |so )?"
    r"(?:well|much|anything)?",
    "de": r"ich bin (?:\w+ )?(?:taub|gehörlos|schwerhörig)|ich höre (?:dich )?(?:nichts|nicht|schlecht)(?: gut)?",
    "fr": r"je suis (?:sourde?|malentendante?)|je (?:ne )?(?:t')?entends (?:pas|mal)(?: bien)?",
    "es": r"soy sord[oa]|no (?:te )?oigo(?: bien| nada)?",
    "it": r"sono sord[oa]|non (?:ti )?sento(?: bene| niente)?",
}
_HANDS = {
    "en": r"i (?:can't|cannot|don't|can hardly) (?:type|write|use (?:a |the )?(?:keyboard|mouse|my hands))"
    r"(?: (?:very |so )?well)?",
    "de": r"ich kann (?:nicht|kaum|schlecht) (?:tippen|schreiben)",
    "fr": r"je ne peux pas (?:taper|écrire)",
    "es": r"no puedo (?:escribir|teclear)",
    "it": r"non posso (?:scrivere|digitare)",
}
_BEFORE = (
    r"(?:(?:so|and|but|hey|hello|please|tell me|well|be honest|honestly|seriously|really|sag mal|und|sei ehrlich|"
    r"dis moi|"
    r"sois honnête|dime|sé sincer[oa]|dimmi|sii sincer[oa]) )*"
)
_AFTER = (
    r"(?: please| then| exactly)*(?: (?:so )?(?:can|could|will) you help(?: me)?| kannst du mir helfen| peux tu "
    r"m'aider|"
    r" puedes ayudarme| puoi aiutarmi)?"
)
_TOPICS = Topics(
    {
        "person": _PERSON,
        "maker": _MAKER,
        "privacy": _PRIVACY,
        "internet": _INTERNET,
        "handling": _HANDLING,
        "skills": _SKILLS,
        "languages": _LANGUAGES,
        "blind": _BLIND,
        "deaf": _DEAF,
        "hands": _HANDS,
    },
    _BEFORE,
    _AFTER,
)
_ANSWERS = {
    ("person", "en"): "I'm a computer program, a voice assistant on your own machine, and not a person.",
    ("person", "de"): "Ich bin ein Computerprogramm auf Ihrem eigenen Rechner, kein Mensch.",
    ("person", "fr"): "Je suis un programme sur votre propre ordinateur, pas une personne.",
    ("person", "es"): "Soy un programa en su propio ordenador, no una persona.",
    ("person", "it"): "Sono un programma sul suo computer, non una persona.",
    ("maker", "en"): "I'm free software with open models, and I belong to no company.",
    ("maker", "de"): "Ich bin freie Software mit offenen Modellen und gehöre keiner Firma.",
    ("maker", "fr"): "Je suis un logiciel libre avec des modèles ouverts, et je n'appartiens à aucune entreprise.",
    ("maker", "es"): "Soy software libre con modelos abiertos y no pertenezco a ninguna empresa.",
    ("maker", "it"): "Sono software libero con modelli aperti e non appartengo a nessuna azienda.",
    ("here", "en"): "What you say and show stays on your own machine.",
    ("here", "de"): "Was Sie sagen und zeigen, bleibt auf Ihrem eigenen Rechner.",
    ("here", "fr"): "Ce que vous dites et montrez reste sur votre ordinateur.",
    ("here", "es"): "Lo que dice y muestra se queda en su ordenador.",
    ("here", "it"): "Quello che dice e mostra resta sul suo computer.",
    ("there", "en"): "What you say and show is sent to the language model at {host}.",
    ("there", "de"): "Was Sie sagen und zeigen, geht an das Sprachmodell auf {host}.",
    ("there", "fr"): "Ce que vous dites et montrez est envoyé au modèle de langage sur {host}.",
    ("there", "es"): "Lo que dice y muestra se envía al modelo de lenguaje en {host}.",
    ("there", "it"): "Quello che dice e mostra viene inviato al modello linguistico su {host}.",
    ("text", "en"): "Our words are written down in the history here, but no sound and no pictures are kept.",
    ("text", "de"): "Unsere Worte stehen hier im Verlauf, Ton und Bilder werden nicht aufgehoben.",
    ("text", "fr"): "Nos paroles sont notées ici dans l'historique, mais ni le son ni les images ne sont gardés.",
    ("text", "es"): "Nuestras palabras quedan aquí en el historial, pero no se guardan ni el sonido ni las imágenes.",
    ("text", "it"): "Le nostre parole restano qui nella cronologia, ma non si conservano né suoni né immagini.",
    ("media", "en"): "Our words, the sound and the pictures are kept in the history here.",
    ("media", "de"): "Unsere Worte, der Ton und die Bilder werden hier im Verlauf aufgehoben.",
    ("media", "fr"): "Nos paroles, le son et les images sont gardés ici dans l'historique.",
    ("media", "es"): "Nuestras palabras, el sonido y las imágenes se guardan aquí en el historial.",
    ("media", "it"): "Le nostre parole, i suoni e le immagini si conservano qui nella cronologia.",
    ("nothing", "en"): "Nothing of it is kept.",
    ("nothing", "de"): "Nichts davon wird aufgehoben.",
    ("nothing", "fr"): "Rien n'en est gardé.",
    ("nothing", "es"): "No se guarda nada.",
    ("nothing", "it"): "Niente viene conservato.",
    ("offline", "en"): "I work without the internet, once my models are on this machine.",
    ("offline", "de"): "Ich arbeite ohne Internet, sobald meine Modelle auf diesem Rechner sind.",
    ("offline", "fr"): "Je fonctionne sans internet, une fois mes modèles sur cet ordinateur.",
    ("offline", "es"): "Funciono sin internet, cuando mis modelos ya están en este ordenador.",
    ("offline", "it"): "Funziono senza internet, quando i miei modelli sono su questo computer.",
    ("handling", "en"): "Say stop, or just begin to speak. You can also say slower, faster, louder, softer or repeat.",
    ("handling", "de"): "Sagen Sie stop, oder sprechen Sie einfach los.",
    ("handling", "fr"): "Dites stop, ou commencez simplement à parler.",
    ("handling", "es"): "Diga stop, o simplemente empiece a hablar.",
    ("handling", "it"): "Dica stop, oppure cominci semplicemente a parlare.",
    ("skills", "en"): "I can tell you what the camera sees, read texts, receipts and barcodes to you, set timers, "
    "alarms and reminders, keep lists and notes, work out sums, tell the time and the date, and answer questions.",
    ("skills", "de"): "Ich kann Ihnen sagen, was die Kamera sieht, Texte vorlesen, Timer und Wecker stellen, "
    "Listen und Notizen führen, rechnen, die Uhrzeit und das Datum sagen und Fragen beantworten.",
    ("skills", "fr"): "Je peux vous dire ce que voit la caméra, lire des textes, régler des minuteurs et des réveils, "
    "tenir des listes et des notes, calculer, donner l'heure et la date et répondre à des questions.",
    ("skills", "es"): "Puedo decirle lo que ve la cámara, leer textos, poner temporizadores y alarmas, "
    "llevar listas y notas, calcular, decir la hora y la fecha y responder preguntas.",
    ("skills", "it"): "Posso dirle che cosa vede la telecamera, leggere testi, impostare timer e sveglie, "
    "tenere liste e note, fare calcoli, dire l'ora e la data e rispondere a domande.",
    ("languages", "en"): "I know English, German, French, Spanish and Italian best. Just speak yours.",
    ("languages", "de"): "Am besten kann ich Englisch, Deutsch, Französisch, Spanisch und Italienisch. Sprechen Sie "
    "einfach Ihre Sprache.",
    ("languages", "fr"): "Je connais surtout l'anglais, l'allemand, le français, l'espagnol et l'italien. Parlez "
    "simplement la vôtre.",
    ("languages", "es"): "Conozco mejor el inglés, el alemán, el francés, el español y el italiano. Hable simplemente "
    "el suyo.",
    ("languages", "it"): "Conosco meglio inglese, tedesco, francese, spagnolo e italiano. Parli semplicemente la sua.",
    ("blind", "en"): "I can be your eyes for some things. Hold something before the camera and ask what it is, what "
    "colour it is, or say: read this to me. Please don't rely on me for your safety.",
    ("blind", "de"): "Bei manchem kann ich für Sie sehen. Halten Sie etwas vor die Kamera und fragen Sie, was es ist, "
    "oder sagen Sie: Lies mir das vor. Bitte verlassen Sie sich nicht auf mich, wo es gefährlich ist.",
    ("blind", "fr"): "Je peux voir certaines choses pour vous. Tenez un objet devant la caméra et demandez ce que "
    "c'est, "
    "ou dites : lis-moi ça. Ne comptez pas sur moi pour votre sécurité.",
    ("blind", "es"): "Puedo ver algunas cosas por usted. Ponga algo delante de la cámara y pregunte qué es, o diga: "
    "léeme esto. No confíe en mí para su seguridad.",
    ("blind", "it"): "Posso vedere alcune cose per lei. Tenga un oggetto davanti alla telecamera e chieda che cos'è, "
    "oppure dica: leggimi questo. Non si affidi a me per la sua sicurezza.",
    ("deaf", "en"): "Everything I say is also written on the screen, "
    "and the command: assistant listen, writes down what others say. Say louder or slower, and I will speak so.",
    ("deaf", "de"): "Alles, was ich sage, steht auch auf dem Bildschirm, und der Befehl: assistant listen, "
    "schreibt auf, was andere sagen. Sagen Sie lauter oder langsamer.",
    ("deaf", "fr"): "Tout ce que je dis s'écrit aussi à l'écran, "
    "et la commande : assistant listen, écrit ce que disent les autres. Dites plus fort ou plus lentement.",
    ("deaf", "es"): "Todo lo que digo aparece también en la pantalla, "
    "y la orden: assistant listen, escribe lo que dicen los demás. Diga más alto o más despacio.",
    ("deaf", "it"): "Tutto quello che dico appare anche sullo schermo, "
    "e il comando: assistant listen, scrive quello che dicono gli altri. Dica più forte o più piano.",
    ("hands", "en"): "You need no keyboard here. Just speak; say stop to interrupt me, or repeat to hear it again.",
    ("hands", "de"): "Sie brauchen hier keine Tastatur. Sprechen Sie einfach, und sagen Sie stopp, um mich zu "
    "unterbrechen.",
    ("hands", "fr"): "Aucun clavier n'est nécessaire ici. Parlez, et dites stop pour m'interrompre.",
    ("hands", "es"): "Aquí no necesita teclado. Hable, y diga stop para interrumpirme.",
    ("hands", "it"): "Qui non serve la tastiera. Parli, e dica stop per interrompermi.",
}


@hookimpl
def assistant_tools(settings: Settings):
    """Return the tool of this plugin."""
    return [about_itself(settings)]


def about_itself(settings: Settings) -> Callable[[str], str]:
    """Return the tool; what it says of privacy follows from the settings."""
    host, away = "", False
    if settings.brain.engine == "server":
        from assistant.backends.server_brain import loopback

        host = urlsplit(settings.brain.url).hostname or ""
        away = not loopback(host)

    def about_assistant(question: str) -> str:
        topic, language = _TOPICS.meant(question)
        if topic == "privacy":
            kept = "nothing" if not settings.history.enabled else "media" if settings.history.keep_media else "text"
            said = ("there" if away else "here", kept)
        elif topic == "internet":
            said = ("there" if away else "offline",)
        else:
            said = (topic,)
        return " ".join(_ANSWERS[part, language] for part in said).format(host=host)

    about_assistant.__doc__ = f"""Tell what the assistant is, and what becomes of what it hears and sees.

    Verbatim only: {_TOPICS.pattern}
    """
    return about_assistant
