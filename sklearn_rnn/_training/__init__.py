"""Trains a network: batches, epochs, optimizers, stopping and checkpoints."""
