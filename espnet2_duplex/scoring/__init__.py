"""Scores decoded sets: from folders on disk to results.json, RESULTS.md, report.html.

The way of a set: `hearing` (when the agent speaks and how it sounds), transcripts,
`metrics.conversation_scores`, `judge` (GPT score), all brought together by `sets`;
`parts` adds parts of a set up, `reports` writes table and page, `processes` spreads
the work. `full_duplex_bench` does the like for the folders of Full-Duplex-Bench.
"""
