"""Writes arrays of all kinds into a folder, and damaged copies of one."""

import os
import sys

import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def save(name, array):
    np.save(os.path.join(folder, name + ".npy"), array)


values = np.array([[0, 1, -2.5], [np.inf, -np.inf, 65504]])
save("f64", values)
save("f32", values.astype("f4"))
save("f16", values.astype("f2"))
# 0, 1, -2.5 and the infinities have no bits beyond bf16; 65504 does.
values[1, 2] = 65280
bf16 = (values.astype("f4").view("u4") >> 16).astype("u2")
save("bf16", bf16)
save("v2", bf16.view("V2"))
for kind, bits in [("i64", 64), ("i32", 32), ("i16", 16), ("i8", 8)]:
    limit = 2 ** (bits - 1)
    save(kind, np.array([[0, 1, -1], [limit - 1, -limit, 2]], f"i{bits // 8}"))
save("i1", np.array([[True, False, True], [False, True, True]]))

save("rank", np.zeros(6, "f4"))
save("size", np.zeros((2, 4), "f4"))
save("order", np.zeros((3, 2), "f4").T)
save("endian", np.zeros((2, 3), ">f4"))
save("unsigned", np.zeros((2, 3), "u4"))
save("record", np.zeros((2, 3), [("a", "f4")]))

good = open(os.path.join(folder, "f32.npy"), "rb").read()
for name, data in [
    ("empty", b""),
    ("magic", b"NUMPY" + good),
    ("version", good[:6] + b"\4" + good[7:]),
    ("header", good[:40]),
    ("truncated", good[:-4]),
    ("long", good + b"1234"),
    ("key", good.replace(b"descr", b"dtype")),
    ("missing", good.replace(b"'shape': (2, 3), ", b" " * 17)),
    ("negative", good.replace(b"(2, 3)", b"(2,-3)")),
    ("huge", good.replace(b"(2, 3), }" + b" " * 20, b"(2, 99999999999999999999), }" + b" ")),
    ("overflow", good.replace(b"(2, 3), }" + b" " * 30, b"(4294967296, 9999999999999), }" + b" " * 9)),
    ("quote", good.replace(b"'<f4'", b"'<f4 ")),
    ("control", good.replace(b"'<f4'", b"'\n\1\0'")),
]:
    with open(os.path.join(folder, name + ".npy"), "wb") as file:
        file.write(data)
