"""What the agent says: recognisers behind one interface, and transcripts of a set."""
