"""Speech codecs: 22.05 kHz speech to 4 codes of 4032 every 80 ms and back.

`abs_codec` is the interface, `fsq` the quantizer, `istft` the small codec that the
recipe trains; `loading` loads an exported one. `gan_model`, `spectral_loss` and
`crops` are for training only.
"""
