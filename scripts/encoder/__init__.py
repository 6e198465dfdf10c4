"""How the encoder of the `semantic` features is made: its network, the photographs it sees, its export."""
