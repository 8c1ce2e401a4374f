"""Training of generator, segmenter and detector; imports `uncover`, never the reverse."""
