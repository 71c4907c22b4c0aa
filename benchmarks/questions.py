"""Does a question about the world get an answer about the world, and one about the scene none without a picture?

Run: python -m benchmarks.questions [--images DIR] [--json] [--profile NAME]
Without a picture, "there is no picture" is wrong for the first kind and right for the second. With --images the
questions about the world are asked once more, each before another picture: a reply that tells of it, or of seeing,
is wrong too. So are the questions about the scene, of which none may be told then that there is no picture. Prints the
shares and the replies that were wrong.
"""

from __future__ import annotations

import argparse
import json
import re
from itertools import cycle
from pathlib import Path

from assistant.ask import Asker, Question
from assistant.cli import App
from assistant.devices import PICTURES

WORLD = """
How many days are there in a leap year?
Is it going to rain tomorrow?
How many planets are there in the solar system?
Are there any penguins at the north pole?
Is there life on Mars?
What is there to do in Paris?
Who was the first man on the moon?
Is it true that cats have nine lives?
Should I take an umbrella today?
What is the best way to learn a language?
Can you tell me a joke?
What should I do when I can't sleep?
Is coffee bad for you?
What was the name of the first president of the United States?
How long does it take to boil an egg?
How far is it from London to Paris?
What does the word ubiquitous mean?
Are tomatoes fruits or vegetables?
Is a whale a fish?
Do plants sleep at night?
What can I cook with rice and eggs?
Who wrote this famous line: to be or not to be?
What are the colours of the rainbow?
What colour is the sky on a clear day?
What colour are bananas when they are ripe?
How many legs does an insect have?
How many people live in Germany?
How many continents are there?
Can dogs see colours?
Why do we see lightning before we hear thunder?
What do bees make?
My back hurts, what can I do?
My name is Tom.
I feel lonely today.
What is my name?
How do I get a stain out of my shirt?
How can I make my room warmer?
Was there a world war in 1914?
Where was Mozart born?
What's the opposite of hot?
Who is the queen in chess?
Is there a difference between a frog and a toad?
Are there more stars than grains of sand?
Which river is the longest in the world?
How old can a tortoise get?
Tell me something about elephants.
What happened in 1989 in Berlin?
When should I plant tomatoes?
How do I write a letter of complaint?
Who painted this world famous picture, the Mona Lisa?
Do you like music?
Who are you?
Are you there?
Can you hear me?
Good morning!
What is the weather like?
How many states are there in the United States?
Is it cold in Iceland in winter?
Will it snow next week?
Is there water on the moon?
Are there snakes in Ireland?
What is there to see in Rome?
How many letters are there in the alphabet?
How many strings does a guitar have?
Is my heart on the left side?
Can cats see in the dark?
Why does the moon look so big sometimes?
What is the name of this month's birthstone?
Was there ever life on Venus?
Is this the right way to say hello in French, bonjour?
How much is a pound in kilograms?
Do you know who I am?
Do you hear me?
Are you listening?
Can you help me?
I am so tired.
I'm bored.
What is the capital of Australia?
Is the earth round?
Are bats blind?
What is the largest animal that ever lived?
Which is heavier, gold or lead?
How do I hold a violin?
How do you spell rhythm?
What is a good present for my mother?
Where is the Eiffel Tower?
Who is the author of Harry Potter?
What are these things called that fireflies do?
How is the weather?
Is the shop open on Sunday?
What should I wear to a wedding?
Tell me a story.
Which colours make green?
Is there a cure for the common cold?
""".strip().splitlines()
"""Questions that no picture answers, many of which have a word of seeing or pointing in them."""
SCENE = """
What is this?
What do you see?
What am I holding?
Is there a chair in front of me?
How many people are there in the room?
How many cups are there on the table?
What colour is my shirt?
Where is my cup?
Is there anything on the floor?
Are there any people here?
Is there a door on the left?
What is on the table?
Is the light on?
Who is that?
Can you read this to me?
What does it say on the box?
Are my shoes on the floor?
Is my tie straight?
What's behind me?
What do I have in my hand?
Is there a dog in the picture?
Are there any cars in front of me?
What colour is the ball on the table?
Is my shirt clean?
Which of these is the milk?
How do I look?
Is anyone here?
Is this a lemon or a lime?
What is written on this?
Is that a cat?
How many fingers am I holding up?
Describe the room.
What is in front of me?
Can you see me?
Is the door open?
Is this jacket blue or black?
Where did I put my keys, can you see them?
What is the expiry date on this milk?
Does this shirt match these trousers?
""".strip().splitlines()
"""Questions that only a picture answers."""

BLIND = re.compile(r"\b(pictures?|can't see|cannot see|don't see)\b", re.IGNORECASE)
DENIED = re.compile(r"\bno (picture|image|camera)\b", re.IGNORECASE)
SEEING = re.compile(r"\b(pictures?|camera|i see|i can see|can't see|don't see|not sure what that is)\b", re.IGNORECASE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    images = (
        sorted(file for file in arguments.images.rglob("*") if file.suffix.lower() in PICTURES)
        if arguments.images
        else []
    )
    if arguments.images and not images:
        parser.error(f"there are no pictures in {arguments.images}")
    asker = Asker(App(arguments.profile).kit)
    wrong: list[tuple[str, str, str]] = []

    def share(name: str, questions: list[str], images: list[Path], right: bool, sign: re.Pattern[str]) -> float:
        """Return how many replies show the sign; note those that should not, or should and do not."""
        shown = cycle(images) if images else cycle([None])
        found = 0
        for question, image in zip(questions, shown, strict=False):
            reply = asker.ask(Question(text=question, image=image)).reply
            seen = bool(sign.search(reply))
            found += seen
            if seen is not right:
                wrong.append((name, question, reply))
        return round(found / len(questions), 3)

    figures = {
        "world_told_no_picture": share("world", WORLD, [], False, BLIND),
        "scene_told_no_picture": share("scene", SCENE, [], True, BLIND),
    }
    if images:
        figures["scene_denied_the_picture"] = share("scene, picture", SCENE, images, False, DENIED)
        figures["world_told_of_the_picture"] = share("world, picture", WORLD, images, False, SEEING)
    if arguments.json:
        print(json.dumps(figures | {"world": len(WORLD), "scene": len(SCENE), "wrong": wrong}, ensure_ascii=False))
        return
    for name, question, reply in wrong:
        print(f"{name}: {question} | {reply}")
    for figure, value in figures.items():
        print(f"{figure:28} {value:.3f}")


if __name__ == "__main__":
    main()
