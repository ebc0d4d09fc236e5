"""The subcommands of ``htseg``, one a file; each imports what it works with only when it runs."""
