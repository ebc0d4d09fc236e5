"""What a mask says: volume, HU statistics, components, ABC/2."""
