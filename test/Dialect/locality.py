"""Fails if code outside lib/Encodings names an encoding."""

import os
import re
import sys

# Import and Raise are not among them: what they make out of other people's
# models are names, so they have to know those that they can make.
STAGES = ["Dialect", "Fuse", "Tile", "Vectorize", "GPU", "Lower", "Reference", "Pipelines"]


def names(encodings):
    """Mnemonics (`t5_bucket`) and stems (`T5Bucket`) of all encodings."""
    for stem in sorted(os.listdir(encodings)):
        yield stem
        with open(os.path.join(encodings, stem, stem + ".td")) as file:
            yield from re.findall(r'Posenc_\w+Encoding<"(\w+)"', file.read())


def main():
    lib = sys.argv[1]
    found = [name for name in names(os.path.join(lib, "Encodings"))]
    if not found:
        sys.exit("no encoding in lib/Encodings")
    # `posenc.window` and WindowOp are names; a variable `window` is not.
    pattern = re.compile("|".join(rf"\b{name}(?:Op)?\b" if name[0].isupper()
                                  else rf'posenc[.:]+{name}\b|"{name}"' for name in found))
    errors = []
    for stage in STAGES:
        for root, _, files in os.walk(os.path.join(lib, stage)):
            for path in (os.path.join(root, name) for name in files):
                with open(path) as file:
                    for number, line in enumerate(file, 1):
                        if match := pattern.search(line.partition("//")[0]):
                            errors.append(f"{path}:{number}: names {match.group(0)}")
    return "\n".join(errors) or 0


if __name__ == "__main__":
    sys.exit(main())
