"""What the user says: streaming speech encoders and the adapter to the LLM."""
