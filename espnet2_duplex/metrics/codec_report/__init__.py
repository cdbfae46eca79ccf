"""What codec scoring writes: results, table (Sec. 6.3), page."""
