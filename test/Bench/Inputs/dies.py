"""A library that ends its process."""

import os


def version():
    return "1.0"


def attention(problem, inputs, threads):
    os._exit(1)
