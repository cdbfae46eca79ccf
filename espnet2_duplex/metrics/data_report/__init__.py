"""What a corpus holds: records, counts, outliers, Table 1, a page."""
