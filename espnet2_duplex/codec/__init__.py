"""Speech codecs: 22.05 kHz speech to 4 codes of 4032 every 80 ms and back.

`abs_codec` is the interface, `fsq` the quantizer, `loading` saves and loads.

`istft` is the small codec that the recipe comes with. Its `mel_encoder` looks both
ways; its `istft_decoder` is causal and shapes the spectra of an `excitation`, a pulse
train and noise. `nano_codec` has the shape of NVIDIA's NanoCodec: `nano_encoder`,
`nano_decoder`, and `nano_config` and `nano_checkpoint` to import it. `mimi` and
`espnet_codec` are codecs of other projects. `convnext`, `conv_stages` and
`mimi_attention` are what the decoders run frame by frame.

For training only: `crops` of clips, `pitch` of the reference, `spectral_loss`,
`spectrum_discriminator`, `discriminators` (ESPnet's), and `gan_model`, which puts them
together for ESPnet's trainer.
"""
