"""The note in every output that says how its colours were made, and the making: file to file."""
