"""Old film: shots, colours decided on key frames and carried along the motion, resumable."""
