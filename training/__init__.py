"""Training of the generator, the segmenter and the detector; imports `uncover`, never the reverse."""
