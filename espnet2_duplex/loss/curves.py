"""The curves that show whether a model learns turn taking.

Most text labels are <PAD>, so that the mean loss of the text channel hides what the
rare <BOS> and <EOS> do. Here losses are told apart by class and by turn, and <BOS> and
<EOS> are scored as events. All of it is teacher-forced: read the words' loss with care,
since the right prefix is given.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from espnet2_duplex.loss.frames import FrameLosses, Labels
from espnet2_duplex.vocabulary import SpeechIds, TextIds

TOLERANCE_FRAMES = 2  # 160 ms: less than the spread of people's response times
SUM, COUNT = ".sum", ".count"  # ends of the names of a ratio's two statistics


class Ratio(NamedTuple):
    """A figure whose denominator is not the number of frames; both add over batches."""

    total: torch.Tensor  # ()
    count: torch.Tensor  # ()


@torch.no_grad()
def per_frame(
    ratios: dict[str, Ratio], num_frames: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Ratios as statistics that ESPnet's averages, weighted by frames, keep exact.

    ESPnet averages each statistic over ranks and batches with the batch's weight, here
    its number of frames. A mean over the <BOS> of a batch would so count by the frames
    of that batch, and be undefined without <BOS>. Numerator and denominator per frame
    average exactly, and the quotient of their averages is the quotient of the sums.

    Returns:
        `<name>.sum` and `<name>.count`, each per frame. `train.reports` shows them as
        `<name>` in the log.
    """
    stats = {}
    for name, ratio in ratios.items():
        stats[name + SUM] = ratio.total / num_frames
        stats[name + COUNT] = ratio.count / num_frames
    return stats


@torch.no_grad()
def learning_curves(
    frames: FrameLosses, labels: Labels, text_ids: TextIds, speech_ids: SpeechIds
) -> dict[str, Ratio]:
    """Losses by class and by turn, and <BOS> and <EOS> as events.

    Returns:
        `loss_text_{bos,eos,pad,words}`: nats of text frames with such a label, not
        weighted by class. `loss_speech_{turns,silence}`: nats per codebook of frames
        within and outside the agent's turns. `{bos,eos}_recall`: labels with a
        prediction within 2 frames; `{bos,eos}_precision`: predictions with a label
        within 2 frames. `padding_share`: of the frames of the batch.
    """
    bos, eos, pad = (
        (labels.text == i) & labels.valid
        for i in (text_ids.bos, text_ids.eos, text_ids.pad)
    )
    words = labels.valid & ~(bos | eos | pad)
    classes = {"bos": bos, "eos": eos, "pad": pad, "words": words}
    turns = in_turn(labels.speech[..., 0], speech_ids)
    speech = frames.speech.mean(-1)
    curves = {f"loss_text_{n}": _over(frames.text, mask) for n, mask in classes.items()}
    curves["loss_speech_turns"] = _over(speech, labels.valid & turns)
    curves["loss_speech_silence"] = _over(speech, labels.valid & ~turns)
    padding = ~labels.valid
    all_frames = padding.new_tensor(padding.numel(), dtype=torch.int64)
    curves["padding_share"] = Ratio(padding.sum(), all_frames)
    for name, token in (("bos", text_ids.bos), ("eos", text_ids.eos)):
        predicted = frames.text_predicted == token
        curves[f"{name}_recall"] = _share_near(classes[name], predicted)
        curves[f"{name}_precision"] = _share_near(predicted, classes[name])
    return curves


def in_turn(codes: torch.Tensor, ids: SpeechIds) -> torch.Tensor:
    """Whether the agent speaks: from a turn's <BOS> to the frame before its <EOS>.

    Args:
        codes: (B, T) int64, one speech channel, delayed or not.
        ids: Its vocabulary.

    Returns:
        (B, T) bool.
    """
    steps = torch.arange(codes.shape[1], device=codes.device)
    last_bos = steps.where(codes == ids.bos, -1).cummax(dim=1).values
    last_eos = steps.where(codes == ids.eos, -1).cummax(dim=1).values
    return last_bos > last_eos


def near(events: torch.Tensor, num_frames: int) -> torch.Tensor:
    """Frames of events (B, T) bool within `num_frames` frames of an event."""
    width = 2 * num_frames + 1
    return F.max_pool1d(events.float(), width, stride=1, padding=num_frames).bool()


def _share_near(events: torch.Tensor, others: torch.Tensor) -> Ratio:
    found = events & near(others, TOLERANCE_FRAMES)
    return Ratio(found.sum(), events.sum())


def _over(values: torch.Tensor, mask: torch.Tensor) -> Ratio:
    return Ratio((values * mask).sum(), mask.sum())
