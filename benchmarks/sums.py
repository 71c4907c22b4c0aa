"""Are sums that people ask for worked out, and is the calculator left alone where there is nothing to work out?

Run: python -m benchmarks.sums [--json] [--profile NAME]
Prints, for the questions by which the prompt and the tool were written and for others, the share of replies that name
the right number, and the median time to the first token; the share of remarks with a number in them, nothing to work
out, for which a tool is called all the same; and the replies that were wrong.
"""

from __future__ import annotations

import argparse
import json
import re
from statistics import median

from assistant.ask import Asker, Question
from assistant.cli import App

KNOWN = """
391 What is 17 times 23?
36 How much is 15 percent of 240?
12 What's the square root of 144?
120 How many hours are in 5 days?
7200 How many seconds are in two hours?
5 If a pizza has 8 slices and we eat 3, how many are left?
22.5 Split 90 euros between four people.
125 What is half of 250?
57 Add 12, 15 and 30.
8.94 What do I pay for 6 bottles at 1.49 each?
63 I have 100 dollars and spend 37. What is left?
120 How many inches is 10 feet?
49 What is 7 squared?
613 What is 1000 minus 387?
12 Divide 144 by 12.
20.9 How much is 19.99 plus 5 percent?
1024 What is two to the power of ten?
210 How many minutes is 3 and a half hours?
240 A train goes 80 kilometers per hour for 3 hours. How far does it go?
48 How many eggs are in four dozen?
45 What is 3 quarters of 60?
40 What is 20 percent off 50 dollars?
52 How many weeks are in 365 days?
19 What's 9 plus 10?
20 What is the area of a room that is 4 by 5 meters?
14 How many days are in two weeks?
36 How many months are in three years?
5000 How many meters are five kilometers?
24 How many legs do six cows have?
"""
OTHERS = """
144 What's 12 times 12?
56 How much is seven times eight?
18 What is a 20 percent tip on 90 dollars?
9 What's the square root of 81?
480 How many minutes are there in eight hours?
15 I had 20 apples and gave five away. How many do I have now?
25 Divide 100 by four.
3.5 What is half of seven?
111 Add 45 and 66.
35.97 How much do three tickets at 11.99 cost?
72 How many hours are in 3 days?
24 How many inches are in two feet?
125 What is five cubed?
271 What is 500 minus 229?
1.5 What is six divided by four?
110 What is 100 plus 10 percent?
81 What's three to the power of four?
90 How many minutes is one and a half hours?
150 If I drive 50 kilometers an hour for three hours, how far do I get?
30 How many legs do five ants have?
75 What is three quarters of 100?
60 What do I pay for a jacket of 80 euros with 25 percent off?
2000 How many grams are two kilograms?
35 How many days are in five weeks?
12 What is 3 times 3 plus 3?
1000000 What is a thousand times a thousand?
60 How many months are in five years?
200 If eight eggs cost 2 dollars, how many cents is that?
16 How many tires do four cars have?
42 What is six times seven?
"""
REMARKS = """
Several hundred people came to the party.
I have two dogs and three cats.
Tell me a story in three sentences.
What happened in 1969?
I was born in 1984.
Who was the second man on the moon?
Give me two tips for sleeping well.
One half of the team was sick.
What are the three primary colours?
What can I do with five eggs?
I waited for twenty minutes and nobody came.
He divided the country into two parts.
Name four animals that live in the sea.
My grandmother is ninety years old today.
The bus number 12 was late again.
What are two good books about the sea?
What is World War Two?
My flight leaves from gate 24.
We have lived here for eleven years.
Who won the World Cup in 2010?
I need two volunteers for tomorrow.
There were thousands of birds on the lake.
Can you name three rivers?
I slept only four hours.
""".strip().splitlines()


def sums(text: str) -> list[tuple[str, str]]:
    """Return (question, the number that its answer has to name)."""
    pairs = [line.split(" ", 1) for line in text.strip().splitlines()]
    return [(question, number) for number, question in pairs]


def names(reply: str, number: str) -> bool:
    """Tell whether a reply names a number: 20.9 in "20.99", 1000 in "1,000"; 12 is not in "120" nor in "12 * 3"."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", reply)
    rest = r"\d*" if "." in number else r"(?:\.0+)?"
    return bool(re.search(rf"(?<![\d.]){re.escape(number)}{rest}(?![\d]|\.\d|\s*[-+*/]\s*\d)", plain))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    asker = Asker(App(arguments.profile).kit)
    figures: dict[str, float] = {}
    wrong: list[tuple[str, str]] = []
    for name, text in (("known", KNOWN), ("others", OTHERS)):
        right, waited = [], []
        for question, number in sums(text):
            answer = asker.ask(Question(text=question))
            right.append(names(answer.reply, number))
            waited.append(answer.timings["first_token_s"] or 0.0)
            if not right[-1]:
                wrong.append((question, answer.reply))
        figures[f"{name}_right"] = round(sum(right) / len(right), 3)
        figures[f"{name}_first_token_s"] = round(median(waited), 2)
    called = 0
    for remark in REMARKS:
        answer = asker.ask(Question(text=remark))
        if answer.results:
            called += 1
            wrong.append((remark, answer.reply))
    figures["remarks_calling_a_tool"] = round(called / len(REMARKS), 3)
    if arguments.json:
        print(json.dumps(figures | {"wrong": wrong}, ensure_ascii=False))
        return
    for question, reply in wrong:
        print(f"{question} | {reply}")
    for figure, value in figures.items():
        print(f"{figure:24} {value:g}")


if __name__ == "__main__":
    main()
