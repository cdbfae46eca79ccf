"""Where texts of conversations come from: one module for each kind of source.

Each kind has a frozen dataclass of options and a function `source(options, job)` that
gives rows of the format in `conversation_format.py`; `registry.py` lists them all. What
cannot be used is counted in `job.refused` by reason.
"""
