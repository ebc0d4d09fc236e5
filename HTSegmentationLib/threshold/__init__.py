"""The published adaptive-threshold method and the global threshold that it is compared with."""
