"""Numbers that kernels of one instruction work on."""

import numpy as np

LANE = np.arange(32)


def rng(seed):
    return np.random.default_rng(seed)


def bf16(array):
    """Rounded to nearest even, as bits."""
    bits = np.asarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def tf32(array):
    """The upper 19 bits."""
    return (np.asarray(array, np.float32).view(np.uint32) & 0xFFFFE000).view(np.float32)
