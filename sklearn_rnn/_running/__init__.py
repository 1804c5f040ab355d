"""Runs a network over any number of sequences, in blocks of bounded memory."""
