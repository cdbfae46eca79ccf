"""What a user's voice goes through before the system hears it: room to network."""
