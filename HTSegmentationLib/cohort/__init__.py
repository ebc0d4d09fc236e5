"""Work on many cases: tables of cases, batches, evaluation, reports."""
