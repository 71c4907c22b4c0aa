"""Is what was said before remembered? Short dialogues, whose last reply has to show it.

Run: python -m benchmarks.dialogues [--json] [--profile NAME] [-v]
Prints the share of last replies that show what was asked for, of the dialogues by which the prompt was written and of
others (of which "I'm Peter" and "call me Marcus" led to a rule, too), and the dialogues that failed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import zoneinfo

from assistant.ask import Asker, Question
from assistant.cli import App
from assistant.types import Message

KNOWN = r"""
anna | My name is Anna. | What is my name?
^(?!.*(picture|don't know|haven't told)) | My name is Anna.
kitchen | Remember that my keys are on the kitchen table. | Where are my keys?
^(?!.*(picture|don't know)) | Remember that my keys are on the kitchen table.
haven't told|don't know | What is my name?
@Europe/Paris | What time is it in Tokyo? | And in Paris?
\b30\b|thirty | What is 15 percent of 80? | And of 200?
sorry | My cat died.
madrid | What is the capital of France? | And of Spain?
1564 | Who wrote Hamlet? | When was he born?
buenos | Translate good morning into French. | And into Spanish?
madrid | Wie heißt die Hauptstadt von Frankreich? | Und von Spanien?
tuesday|dienstag|day | My appointment is on Tuesday at nine. | When is my appointment?
peanut | I am allergic to peanuts. | What am I allergic to?
eva | My sister is called Eva. | What is my sister's name?
blue | My favourite colour is blue. | Thanks. | What is my favourite colour?
"""
OTHERS = r"""
peter | I'm Peter. | Who am I?
marcus | You can call me Marcus. | Do you know my name?
^(?!.*(picture|don't know|haven't told)) | I'm called Lisa.
garage | I left the ladder in the garage. | Where did I leave the ladder?
bedroom | My glasses are in the bedroom. | Tell me a joke. | Where are my glasses?
^(?!.*(picture|don't know)) | My glasses are in the bedroom.
haven't told|don't know | Do you know my name?
haven't|don't know|not told | Where is my car?
@America/New_York | What time is it in London? | And in New York?
\b60\b|sixty | What is half of 80? | And of 120?
rome | What is the capital of Portugal? | What about Italy?
1879 | Who was Albert Einstein? | When was he born?
guten | How do you say good evening in Italian? | And in German?
rom\b|roma | Wie heißt die Hauptstadt von Portugal? | Und von Italien?
friday | The plumber comes on Friday. | When does the plumber come?
milk | I cannot drink milk. | What can't I drink?
max | My dog's name is Max. | What is my dog called?
paul | My brother Paul lives in Boston. | How are you? | Who lives in Boston?
four|4 | I have four grandchildren. | How many grandchildren do I have?
pizza | We will have pizza tonight. | What will we eat tonight?
year | My dog is called Max. | How long do dogs live?
100|212|hundred | I drink a lot of water. | At what temperature does water boil?
384|238|thousand | I like the moon. | How far away is the moon?
karl | Ich heiße Karl. | Wie heiße ich?
garage | Mein Fahrrad steht in der Garage. | Wo steht mein Fahrrad?
"""


def dialogues(text: str) -> list[tuple[str, list[str]]]:
    """Return (pattern of the last reply, what the person says)."""
    rows = [[part.strip() for part in re.split(r" \| ", line)] for line in text.strip().splitlines()]
    return [(pattern, said) for pattern, *said in rows]


def shows(pattern: str, reply: str) -> bool:
    """Tell whether a reply matches a pattern, or names the hour in a zone: ``@Europe/Paris``."""
    if pattern.startswith("@"):
        pattern = rf"\b{datetime.datetime.now(zoneinfo.ZoneInfo(pattern[1:])):%H}:"
    return bool(re.search(pattern, reply, re.IGNORECASE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile")
    parser.add_argument("-v", "--verbose", action="store_true", help="print those that did not fail, too")
    arguments = parser.parse_args()
    asker = Asker(App(arguments.profile).kit)
    figures: dict[str, float] = {}
    wrong: list[tuple[str, ...]] = []
    for name, text in (("known", KNOWN), ("others", OTHERS)):
        right = []
        for pattern, said in dialogues(text):
            history: tuple[Message, ...] = ()
            for words in said:
                answer = asker.ask(Question(text=words), history)
                history = (*history, Message("user", words), Message("assistant", answer.reply, answer.results))
            right.append(shows(pattern, history[-1].text))
            if arguments.verbose or not right[-1]:
                wrong.append(("+" if right[-1] else "-", *(message.text for message in history)))
        figures[f"{name}_remembered"] = round(sum(right) / len(right), 3)
    if arguments.json:
        print(json.dumps(figures | {"wrong": wrong}, ensure_ascii=False))
        return
    for lines in wrong:
        print(" | ".join(lines))
    for figure, value in figures.items():
        print(f"{figure:18} {value:.3f}")


if __name__ == "__main__":
    main()
