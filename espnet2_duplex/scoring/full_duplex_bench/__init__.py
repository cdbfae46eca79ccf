"""Full-Duplex-Bench on its folders: transcripts, tasks, results."""
