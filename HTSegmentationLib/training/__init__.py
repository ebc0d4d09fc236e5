"""Trains the networks on a site's own cases: recipes, data, loop and results."""
