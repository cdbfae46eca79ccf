"""Keys and values of a fixed number of frames, whatever the length of a session."""

from transformers.cache_utils import CacheLayerMixin


class RingLayer(CacheLayerMixin):
    """Keys and values of the last `window_frames` frames of one layer, as a ring.

    Keys are stored with their positions in them (rotated, or computed from embeddings
    that hold them), so the order of the ring does not matter.
    """

    def __init__(self, window_frames: int):
        super().__init__()
        self.window_frames = window_frames
        self.next_index = 0

    def lazy_initialization(self, key_states, value_states) -> None:
        batch, heads, _, width = key_states.shape
        shape = (batch, heads, self.window_frames, width)
        self.keys = key_states.new_zeros(shape)
        self.values = value_states.new_zeros(
            (batch, heads, self.window_frames, value_states.shape[-1])
        )
        self.is_initialized = True

    def update(self, key_states, value_states, *args, **kwargs):
        """Store frames (B, heads, n, width); return all that they may attend to.

        That is the whole ring for one frame, and the frames themselves for the several
        that an empty ring can be filled with.
        """
        num_frames = key_states.shape[2]
        if num_frames == 1:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            self.keys[:, :, self.next_index] = key_states[:, :, 0]
            self.values[:, :, self.next_index] = value_states[:, :, 0]
            self.next_index = (self.next_index + 1) % self.window_frames
            return self.keys, self.values
        assert not self.is_initialized and num_frames < self.window_frames
        self.lazy_initialization(key_states, value_states)
        self.keys[:, :, :num_frames] = key_states
        self.values[:, :, :num_frames] = value_states
        self.next_index = num_frames
        return key_states, value_states

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.window_frames, 0

    def get_seq_length(self) -> int:
        return 0  # positions are given explicitly

    def get_max_length(self) -> int:
        return self.window_frames
