"""Looks at, or spoils, the objects in a cache folder.

    cache.py count FOLDER             how many files, but for the time stamp
    cache.py cut FOLDER               cuts the end off each
    cache.py change FOLDER            changes a byte of each
    cache.py race FOLDER COMMAND...   runs it six times at once
"""

import os
import subprocess
import sys


def main():
    action, folder, *command = sys.argv[1:]
    paths = [os.path.join(folder, name) for name in (os.listdir(folder) if os.path.exists(folder) else [])
             if "timestamp" not in name]
    if action == "count":
        print(len(paths), "files")
    elif action == "race":
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
        outputs = {run.communicate()[0] for run in runs}
        print(len(runs), "times:", *outputs)
    for path in paths:
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            if action == "cut":
                file.truncate(size - 100)
            elif action == "change":
                file.seek(size // 2)
                byte = file.read(1)[0]
                file.seek(size // 2)
                file.write(bytes([byte ^ 1]))


if __name__ == "__main__":
    main()
