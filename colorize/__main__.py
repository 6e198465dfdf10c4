"""``python -m colorize``: the command line, also where the command itself is not on the path."""

from colorize.cli import main

if __name__ == "__main__":
    main(prog_name="python -m colorize")
