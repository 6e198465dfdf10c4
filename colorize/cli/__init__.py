"""The command line: `main`, and one module for every command: they parse, call the library, and print.

The modules import nothing heavy before a command runs, so that help is quick.
"""

from colorize.cli.main import main

__all__ = ["main"]
