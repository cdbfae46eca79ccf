"""The HTML page of a scored run: tables, distributions, conversations to hear."""
