"""The commands of the command line, one module each: they parse, call the library, and print.

The modules import nothing heavy before a command runs, so that help is quick.
"""
