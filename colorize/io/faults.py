"""What decoders raise, and what of it a person is told."""

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


def first_line(error: BaseException) -> str:
    """The reason that an error gives, without the lines for programmers."""
    # An OSError as text begins with its number and repeats the file's name.
    text = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
    return (text.splitlines() or [type(error).__name__])[0]
