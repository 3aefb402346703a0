"""Fails unless the rows of two arrays have at least a given cosine.

    cosine.py A.npy B.npy LEAST
"""

import sys

import numpy as np


def main():
    a, b = (np.load(path).astype(np.float64) for path in sys.argv[1:3])
    cosines = np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    print(f"cosine of {len(cosines)} rows: at least {cosines.min():.7f}")
    if not cosines.min() >= float(sys.argv[3]):
        sys.exit(f"expected a cosine of at least {sys.argv[3]}")


if __name__ == "__main__":
    main()
