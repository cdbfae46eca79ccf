"""What ESPnet's log shows of a step beyond means over frames: ratios and throughput.

ESPnet's trainers hand the model's statistics to `SubReporter.register`, all with one
weight. A subclass of Trainer could do otherwise, but ESPnet refuses one together with
DeepSpeed, and only `register` is common to both trainers; so that is what is extended,
and only while a training runs. Nothing of it is state: resuming needs none, and every
rank computes the same from what the trainer has already averaged over ranks.
"""

import contextlib
import weakref
from collections.abc import Iterator
from time import perf_counter as now_seconds

import torch
from espnet2.train.reporter import SubReporter

from espnet2_duplex.loss.curves import COUNT, SUM
from espnet2_duplex.train.throughput import throughput

_GFLOP = "gflop_per_frame"


@contextlib.contextmanager
def training_reports(peak_tflops: float | None = None) -> Iterator[None]:
    """Let ESPnet's log, plots and criteria hold ratios and throughput while inside.

    - `<name>.sum` and `<name>.count` of the model become `<name>`, their quotient,
      weighted by the count: means over batches, ranks and epochs are exact. A batch
      without an event has no say.
    - `gflop_per_frame` becomes, in training, `frames_per_second` and what
      `train.throughput` tells; its time is that since the previous step of the epoch.

    Args:
        peak_tflops: Of one device; None: as the table of `train.throughput` has it.
    """
    plain = SubReporter.register
    step_times = weakref.WeakKeyDictionary()  # seconds, end of the last step's forward

    def register(self, stats, weight=None):
        if weight is None:  # the trainer's own times and norms
            return plain(self, stats)
        means, ratios = split_ratios(stats)
        gflop = means.pop(_GFLOP, None)
        plain(self, means, weight)
        for name, (total, count) in ratios.items():
            value = total / count if count else float("nan")
            plain(self, {name: value}, float(weight) * count)
        if gflop is not None and self.key == "train":
            plain(self, _memory())
            now = now_seconds()
            if self in step_times:  # the first step of an epoch has no previous one
                seconds = now - step_times[self]
                found = throughput(float(weight), seconds, float(gflop), peak_tflops)
                plain(self, found, seconds)
            step_times[self] = now

    SubReporter.register = register
    try:
        yield
    finally:
        SubReporter.register = plain


def split_ratios(stats: dict) -> tuple[dict, dict[str, tuple[float, float]]]:
    """Plain statistics, and (sum, count) per frame of each ratio by its name."""
    names = [key.removesuffix(SUM) for key in stats if key.endswith(SUM)]
    ratios = {n: (float(stats[n + SUM]), float(stats[n + COUNT])) for n in names}
    parts = {name + end for name in names for end in (SUM, COUNT)}
    return {k: v for k, v in stats.items() if k not in parts}, ratios


def _memory() -> dict[str, float]:
    """The most that this process's GPU held since the start of training, if any."""
    if not torch.cuda.is_available():
        return {}
    return {"gpu_peak_memory_gb": torch.cuda.max_memory_allocated() / 2**30}
