"""How speech sounds: opinion scores, intelligibility, whose voice it is."""
