"""The check of this computer: what works here, what is missing, and how it is mended."""
