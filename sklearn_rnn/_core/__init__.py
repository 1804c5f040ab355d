"""The mathematics of recurrent networks: cells, layers, losses and their gradients."""
