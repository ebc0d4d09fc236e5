"""Masks, tables and pictures in the formats that other programs read."""
