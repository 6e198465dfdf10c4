"""Small neural networks: one that refines the classical result, and rivals to measure it against.

The only room that knows torch. Importing it without torch raises `MissingDependencyError`, which names the extra to
install; nothing else in the package imports it before it is asked for.
"""

from colorize._support.optional import import_or_raise

import_or_raise("torch", extra="refine")
