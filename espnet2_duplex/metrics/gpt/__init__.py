"""The GPT score (Sec. 5.2): prompt, answer, asking, cost, score."""
