"""Model folders: what they say, how they are checked, and where they are kept."""
