import numpy as np

from espnet2_duplex.train.collate_fn import DuplexCollateFn


def sample(num_samples, num_frames):
    return {
        "user_speech": np.ones(num_samples, dtype=np.float32),
        "text": np.full(num_frames, 5),
        "codes": np.full((num_frames, 4), 6),
    }


def test_batch_is_padded_to_whole_frames_of_the_longest():
    data = [("a", sample(2500, 2)), ("b", sample(3840, 3))]
    uids, batch = DuplexCollateFn(samples_per_frame=1280)(data)
    assert uids == ["a", "b"]
    assert batch["user_speech"].shape == (2, 3840)
    assert batch["user_speech"][0].sum() == 2500
    assert batch["user_speech_lengths"].tolist() == [2500, 3840]
    assert batch["text"].tolist() == [[5, 5, 0], [5, 5, 5]]
    assert batch["codes"].shape == (2, 3, 4)
    assert batch["codes_lengths"].tolist() == [2, 3]


def test_the_users_words_are_padded_to_the_longest():
    data = [
        ("a", {**sample(2500, 2), "user_text": np.array([7, 8, 9])}),
        ("b", {**sample(3840, 3), "user_text": np.zeros(0, dtype=np.int64)}),
    ]
    _, batch = DuplexCollateFn(samples_per_frame=1280)(data)
    assert batch["user_text"].tolist() == [[7, 8, 9], [0, 0, 0]]
    assert batch["user_text_lengths"].tolist() == [3, 0]
