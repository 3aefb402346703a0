"""Compiles a sentence encoder and ranks sentences by similarity to a query.

    rank.py MODEL_DIR [QUERY]

Python only turns text into token ids and prints the result; from ids to
embeddings everything is compiled code. Needs `numpy` and `tokenizers`.
"""

import os
import subprocess
import sys
import time

import numpy as np
from tokenizers import Tokenizer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, "build", "bin")
WORK = os.path.join(ROOT, "build", "minilm")

QUERY = "Why is my code slow, and how do I speed it up?"
SENTENCES = [
    "Profile first: most of the time is spent in a few hot loops.",
    "A good compiler can vectorise simple loops without any help.",
    "Keep data that is used together close in memory.",
    "Runners improve their speed with short, intense intervals.",
    "The evening programme starts at eight and ends with fireworks.",
    "Unit tests tell you when a change has broken something.",
    "Slice the onions thinly and fry them over a low flame.",
    "Tulip bulbs are planted in autumn, before the first frost.",
    "The last train to the coast leaves a little after midnight.",
    "Threads help only if they do not wait for each other.",
    "She tuned the old piano for the concert on Sunday.",
    "Whales sleep with one half of their brain awake.",
]


def report(name, seconds, note):
    print(f"  {name:<9} {seconds:7.3f} s  {note}", flush=True)


def step(name, note, action):
    """Runs one step and prints how long it took."""
    start = time.perf_counter()
    result = action()
    report(name, time.perf_counter() - start, note)
    return result


def run(tool, *arguments):
    """Runs one of our tools and returns what it wrote to stderr."""
    result = subprocess.run([os.path.join(BIN, tool), *arguments], stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(result.stderr.rstrip() or f"error: {tool} failed")
    return result.stderr


def embed(count):
    """Runs the compiled module, which writes y.npy, and prints its own times."""
    lines = run("pe-runner", "minilm.llvm.mlir", "--entry=embed", "--input=@ids.npy",
                "--input=@mask.npy", "--output=@y.npy", "--time").splitlines()
    # Lines are "<step> <time> ms".
    seconds = {words[0]: float(words[1]) / 1000 for words in map(str.split, lines)}
    kept = "cache" in seconds
    report("generate", seconds["parse"] + seconds["cache" if kept else "compile"],
           "machine code for this processor" + (", kept from before" if kept else ""))
    report("load", seconds["load"], "weights, mapped from their file")
    report("embed", seconds["run"], f"{count} sentences")


def tokenise(model, sentences, longest=512):
    """Writes ids.npy and mask.npy, padded to the longest sentence."""
    tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
    tokenizer.enable_truncation(longest)
    tokenizer.enable_padding()
    rows = tokenizer.encode_batch(sentences)
    np.save("ids.npy", np.array([row.ids for row in rows], np.int64))
    np.save("mask.npy", np.array([row.attention_mask for row in rows], np.int64))


def main():
    model = os.path.abspath(sys.argv[1])
    query = sys.argv[2] if len(sys.argv) > 2 else QUERY
    os.makedirs(WORK, exist_ok=True)
    os.chdir(WORK)
    step("import", "config.json, model.safetensors -> minilm.mlir",
         lambda: run("pe-translate", "--import-huggingface", model, "-o", "minilm.mlir"))
    step("compile", "minilm.mlir -> minilm.llvm.mlir",
         lambda: run("pe-opt", "--posenc-cpu", "minilm.mlir", "-o", "minilm.llvm.mlir"))
    step("tokenise", "text -> ids.npy, mask.npy", lambda: tokenise(model, [query] + SENTENCES))
    embed(1 + len(SENTENCES))
    embeddings = np.load("y.npy")
    # Rows have unit length: their product is the cosine of the angle.
    similarity = embeddings[1:] @ embeddings[0]
    print(f"\n  {query}")
    for i in np.argsort(-similarity):
        print(f"  {similarity[i]:5.2f}  {SENTENCES[i]}")


if __name__ == "__main__":
    main()
