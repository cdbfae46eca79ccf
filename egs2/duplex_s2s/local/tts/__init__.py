"""TTS engines behind one interface: `engine.Engine`; one module for each kind."""
