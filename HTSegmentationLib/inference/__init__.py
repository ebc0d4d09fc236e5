"""Networks at work: model folders, the engine that runs them, and the check of what is installed here."""
