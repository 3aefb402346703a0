"""Fails if two array files differ in type, shape or bits."""

import sys

import numpy as np

a, b = map(np.load, sys.argv[1:])
assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
