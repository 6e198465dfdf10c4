"""What a person says of a photograph, and what follows: hints, references, alternatives, sessions."""
