"""What decoders raise."""

from __future__ import annotations

import struct
import zlib

# What Pillow, its plugins and NumPy have been seen to raise on damaged files. Bugs of ours can hide here, so only calls
# into decoders are wrapped with it.
DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
