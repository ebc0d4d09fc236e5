"""Simulated head CT with an infarct, a hemorrhage and their exact masks."""
