"""numpy on whatever type, widened."""

from run_numpy import attention, version

TYPES = "f32", "bf16"
