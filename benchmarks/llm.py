"""Speed of our llama.cpp session, and against xllamacpp's own server (extra llama): same file, same threads, one run.

Run: python -m benchmarks.llm [--model ID] [--threads N] [--tokens N] [--rounds N]
Prints one JSON object. The two take turns, so that a disturbance of the machine hits both; each has a process of its
own, since two OpenMP teams in one process put each other to sleep.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import math
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

from assistant.backends.llama import LlamaSession, find_gguf
from assistant.config import load
from assistant.stages import Sampling
from assistant.store import Store

FEW = 8
"""Positions at the end of a question: its last words, and what stands before a reply."""
TEXT = "Once upon a time, in a village by the sea, there lived an old clockmaker who"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    settings = load()
    parser.add_argument("--model", default=settings.brain.model)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    brain = dataclasses.replace(settings.brain, model=arguments.model, threads=arguments.threads, context=2048)
    store = Store(settings)
    session = LlamaSession(dataclasses.replace(settings, brain=brain), store)
    library, prompt = session.library, session.tokenize(TEXT)
    spawn = multiprocessing.get_context("spawn")
    server, answers = spawn.Pipe()
    path = str(find_gguf(arguments.model, store))
    compared = importlib.util.find_spec("xllamacpp") is not None
    if compared:
        spawn.Process(target=serve, args=(answers, path, arguments.threads), daemon=True).start()

    def ours() -> float:
        session.sync([prompt])
        pieces = session.generate(Sampling(arguments.tokens + 1, 0.0))
        next(pieces)
        before, started = session.length, time.perf_counter()
        for _ in pieces:
            pass
        return (session.length - before) / (time.perf_counter() - started)

    def theirs() -> float:
        if not compared:
            return math.nan
        server.send((TEXT, arguments.tokens))
        return float(server.recv()["predicted_per_second"])

    rounds = [(ours(), theirs()) for _ in range(arguments.rounds + 1)][1:]  # the first warms the caches
    session.truncate(0)
    started = time.perf_counter()
    session.append((prompt * 20)[:256])
    prefill = 256 / (time.perf_counter() - started)
    few = statistics.median(reading(session, (prompt * 2)[:FEW], 400) for _ in range(arguments.rounds))
    session.close()
    if compared:
        server.send(None)
    decode, server_decode = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        json.dumps(
            {
                "model": arguments.model,
                "library": library,
                "threads": arguments.threads,
                "decode_tokens_per_s": round(decode, 2),
                "server_decode_tokens_per_s": round(server_decode, 2) if compared else None,
                "ratio": round(statistics.median(one / other for one, other in rounds), 3) if compared else None,
                "prefill_tokens_per_s": round(prefill, 1),
                f"read_{FEW}_positions_s": round(few, 4),
            }
        )
    )


def reading(session: LlamaSession, tokens: list[int], length: int) -> float:
    """Return the seconds in which a few positions are read after so many others, as at the end of a question."""
    if session.length < length:
        session.append((tokens * length)[: length - session.length])
    session.truncate(length)
    started = time.perf_counter()
    session.append(tokens)
    return time.perf_counter() - started


def serve(requests: Connection, path: str, threads: int) -> None:
    """Answer (text, tokens) with the timings of xllamacpp's own server with one slot; None ends it."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx, params.n_parallel, params.warmup = 2048, 1, False
    params.verbosity = -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    for text, tokens in iter(requests.recv, None):
        requests.send(complete(server, text, tokens))


def complete(server: Any, text: str, tokens: int) -> dict[str, Any]:
    """Return the server's own timings of one greedy completion."""
    wish = {"prompt": text, "n_predict": tokens, "temperature": 0, "cache_prompt": True, "ignore_eos": True}
    answer = server.handle_completions(wish)
    return dict((json.loads(answer) if isinstance(answer, str | bytes) else answer)["timings"])


if __name__ == "__main__":
    main()
