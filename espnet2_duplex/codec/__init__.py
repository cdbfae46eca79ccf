"""Speech codecs: 22.05 kHz speech to 4 codes of 4032 every 80 ms and back.

`abs_codec` is the interface and `loading` loads an exported codec. `istft` is the
small codec that the recipe trains: `mel_encoder`, `fsq` (the quantizer),
`istft_decoder`. `crops`, `spectral_loss` and `gan_model` are for training only.

`mimi` and `espnet_codec` are codecs of other projects; `conv_stages` and
`mimi_attention` run their decoders frame by frame.
"""
