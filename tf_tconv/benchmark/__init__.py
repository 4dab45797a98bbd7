"""The speed of transposed convolutions, ours and others', measured in one run."""
