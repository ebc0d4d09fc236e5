"""A process of its own for networks: it keeps the model loaded, and when it crashes nobody else does."""
