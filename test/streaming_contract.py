"""The contract of every streaming module: `step` over pieces equals `forward`."""

import torch


def assert_streaming_equals_offline(
    forward, step, init_state, x, time_dim=1, chunk=1, atol=1e-4
):
    """Assert that stepping through `x` gives `forward(x)`.

    Args:
        forward: whole sequence -> tensor, or tuple of tensors, time on `time_dim`.
        step: (piece, state) -> (output, state).
        init_state: batch size -> state.
        x: (B, T, ...) input.
        chunk: Length of a piece along time.
    """
    with torch.inference_mode():
        offline = as_tuple(forward(x))
        state = init_state(x.shape[0])
        pieces = []
        for piece in x.split(chunk, dim=time_dim):
            output, state = step(piece, state)
            pieces.append(as_tuple(output))
    for expected, outputs in zip(offline, zip(*pieces)):
        streamed = torch.cat(outputs, dim=time_dim)
        torch.testing.assert_close(streamed, expected, atol=atol, rtol=0)


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)
