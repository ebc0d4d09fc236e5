"""The robust adaptive threshold: bounds from the tissue around the bleed, parts judged one by one."""
