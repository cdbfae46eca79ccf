"""Arguments of encoders of some thousand parameters."""

WHISPER_CAUSAL = dict(
    output_size=8, num_layers=1, width=64, num_heads=1, window_frames=4
)
FASTCONFORMER = dict(
    output_size=16,
    num_layers=1,
    num_heads=2,
    subsampling_channels=4,
    left_context_frames=4,
    num_lookahead_tokens=0,
)
ENCODERS = {"whisper_causal": WHISPER_CAUSAL, "fastconformer": FASTCONFORMER}
