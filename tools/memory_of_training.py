#!/usr/bin/env python3
"""Memory of one training step on one GPU, worked out part by part.

Usage:

    tools/memory_of_training.py                    # the paper's model, 1000 s a GPU
    tools/memory_of_training.py --llm 135M --conversation_seconds 120 --num_shards 8

Prints a Markdown table: a line for each part, a column for each way of training. The
functions below are the formulas; GiB are of 2**30 bytes. What the allocator keeps beside
(fragments, workspaces of matrix products) is not counted: leave a tenth free.
"""

import argparse
import sys
from dataclasses import dataclass

from training_benchmark.case import CODEBOOK_SIZE, LLMS, NUM_CODEBOOKS

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.vocabulary import SpeechIds

FRAMES_PER_SECOND = 12.5
SPEECH_ROWS = NUM_CODEBOOKS * SpeechIds(CODEBOOK_SIZE).size  # of all channels' tables
MEL_FRAMES = 8  # of 10 ms in a frame


@dataclass(frozen=True)
class Llm:
    """A Llama: names as in transformers' configuration."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    tie_word_embeddings: bool = True

    def matrix_weights(self) -> int:
        """Weights of all matrix products, the text head included.

        A layer: H^2 (1 + 2 kv / heads + 1) for queries, keys and values, and output,
        and 3 H F for the gated feed-forward; the head: V H.
        """
        heads = 2 + 2 * self.num_key_value_heads / self.num_attention_heads
        layer = self.hidden_size * (
            heads * self.hidden_size + 3 * self.intermediate_size
        )
        return int(self.num_hidden_layers * layer + self.vocab_size * self.hidden_size)

    def other_weights(self) -> int:
        """Norms, H each, two a layer and one behind; V H of an untied embedding."""
        norms = (2 * self.num_hidden_layers + 1) * self.hidden_size
        untied = 0 if self.tie_word_embeddings else self.vocab_size * self.hidden_size
        return norms + untied


@dataclass(frozen=True)
class Conformer:
    """A FastConformer: names as in FastConformerEncoder; the default is the paper's."""

    output_size: int = 512
    num_layers: int = 17
    num_heads: int = 8
    conv_kernel_size: int = 9
    subsampling_channels: int = 256
    num_mel_bins: int = 80

    def bins(self) -> list[int]:
        """Mel bins, and what the three convolutions of stride 2 leave of them."""
        bins = [self.num_mel_bins]
        for _ in range(3):
            bins.append(bins[-1] // 2 + 1)
        return bins

    def weights(self) -> int:
        """All weights.

        A layer: 16 D^2 for two feed-forwards, 5 D^2 for attention, 3 D^2 for the
        convolution's two linear maps, D times its kernel, 32 D for biases and norms. The
        subsampling: 9 c, then twice 9 c + c^2, with biases; c bins_3 D + D behind it.
        """
        width, channels = self.output_size, self.subsampling_channels
        layer = 24 * width**2 + (self.conv_kernel_size + 32) * width
        subsampling = 10 * channels + 2 * (10 * channels + channels**2 + channels)
        return (
            self.num_layers * layer
            + subsampling
            + width * (channels * self.bins()[3] + 1)
        )


@dataclass(frozen=True)
class Plan:
    """One way of training.

    Attributes:
        name: of the column.
        num_frames: on the GPU.
        conversation_frames: of each conversation.
        is_mixed: float32 weights under bfloat16 autocast; otherwise all float32.
        is_checkpointed: layers of LLM and encoder are computed again in the backward
            pass (gradient_checkpointing of backbone_conf and encoder_conf).
        logits_chunk_frames: None for the logits of all frames at once.
        num_shards: GPUs over which ZeRO-2 spreads gradients and optimiser.
    """

    name: str
    num_frames: int
    conversation_frames: int
    is_mixed: bool = True
    is_checkpointed: bool = False
    logits_chunk_frames: int | None = None
    num_shards: int = 1


@dataclass(frozen=True)
class Model:
    """What is trained."""

    llm: Llm
    encoder: Conformer | None = Conformer()
    adapter_layers: int = 2
    adapter_kernel_size: int = 5

    def adapter_weights(self) -> int:
        """D H of the linear map; a block: 4 H^2 and its kernel, biases and norm."""
        width = self.llm.hidden_size
        input_size = self.encoder.output_size if self.encoder else 0
        block = 4 * width**2 + (self.adapter_kernel_size + 6) * width
        return (input_size + 1) * width + 2 * input_size + self.adapter_layers * block

    def weights(self) -> int:
        """Of the LLM, the speech tables and heads, the adapter and the encoder."""
        speech = 2 * SPEECH_ROWS * self.llm.hidden_size
        llm = self.llm.matrix_weights() + self.llm.other_weights()
        encoder = self.encoder.weights() if self.encoder else 0
        return llm + speech + self.adapter_weights() + encoder

    def matrix_weights(self) -> int:
        """Those that autocast copies: all but norms and embeddings, nearly."""
        speech = SPEECH_ROWS * self.llm.hidden_size
        encoder = self.encoder.weights() if self.encoder else 0
        return self.llm.matrix_weights() + speech + self.adapter_weights() + encoder


def weight_bytes(model: Model, plan: Plan) -> float:
    """4 bytes a weight; under autocast 2 more for the copy of each matrix.

    The copies live from the forward pass to the backward pass, which uses them.
    """
    copies = 2 * model.matrix_weights() if plan.is_mixed else 0
    return 4 * model.weights() + copies


def gradient_bytes(model: Model, plan: Plan) -> float:
    """4 bytes a weight, of which ZeRO-2 keeps one shard."""
    return 4 * model.weights() / plan.num_shards


def optimiser_bytes(model: Model, plan: Plan) -> float:
    """AdamW's two moments, 8 bytes a weight, of which ZeRO-2 keeps one shard."""
    return 8 * model.weights() / plan.num_shards


def llm_layer_bytes(llm: Llm, plan: Plan) -> float:
    """What one layer keeps of a frame for the backward pass.

    Two norms keep their input and the normalised input, 4 H, in float32 always.
    Attention keeps queries, keys and values (repeated for all heads) and its output,
    4 H; the feed-forward the gate before and behind its activation, the other branch
    and their product, 4 F. Inputs of the five first matrices: one for each norm, 2 H;
    under autocast each matrix has a bfloat16 copy of its own, 5 H.
    """
    width, inner = llm.hidden_size, llm.intermediate_size
    if plan.is_mixed:
        return 4 * 4 * width + 2 * (5 * width + 4 * width + 4 * inner)
    return 4 * (4 * width + 2 * width + 4 * width + 4 * inner)


def llm_bytes(model: Model, plan: Plan) -> float:
    """Activations of the LLM.

    All layers' frames; with checkpointing the input of each layer, 4 H bytes, and all
    of the one layer that is computed again. The mask of T x T frames is one for all.
    """
    llm = model.llm
    layer = llm_layer_bytes(llm, plan)
    frame = llm.num_hidden_layers * layer
    if plan.is_checkpointed:
        frame = llm.num_hidden_layers * 4 * llm.hidden_size + layer
    mask = (2 if plan.is_mixed else 4) * plan.conversation_frames**2
    return plan.num_frames * frame + mask


def encoder_bytes(model: Model, plan: Plan) -> float:
    """Activations of the encoder.

    Subsampling, for each of c channels: the padded input of the second convolution,
    4 (b1 + 3), and its mask 4 b1, the same of the third at half the rate, its pointwise
    maps, and 3 b3 at the end. A layer: 24 D of two feed-forwards and 23 D of the rest,
    and the scores of attention, three times heads x T in float32. With checkpointing
    the input of each layer, D, and all of one layer.
    """
    if model.encoder is None:
        return 0.0
    conformer, size = model.encoder, 2 if plan.is_mixed else 4
    _, first, second, third = conformer.bins()
    channel = 4 * (first + 3) + 4 * first + 2 * (second + 3) + 4 * second + 3 * third
    subsampling = conformer.subsampling_channels * channel * size
    width = conformer.output_size
    layer = size * 44 * width + 4 * 3 * width
    layer += 3 * 4 * conformer.num_heads * plan.conversation_frames
    layers = conformer.num_layers * layer
    if plan.is_checkpointed:
        layers = conformer.num_layers * size * width + layer
    mel = MEL_FRAMES * conformer.num_mel_bins * 4
    return plan.num_frames * (subsampling + layers + mel)


def adapter_bytes(model: Model, plan: Plan) -> float:
    """A block keeps 7 H of a frame: around its convolution 3, its inner width 4."""
    frame = 7 * model.llm.hidden_size * model.adapter_layers
    return plan.num_frames * frame * (3 if plan.is_mixed else 4)


def logit_bytes(model: Model, plan: Plan) -> float:
    """Logits of V text tokens and K S speech codes, and their loss.

    The log-softmax of all channels is kept, 4 (V + K S) bytes a frame; in the backward
    pass the larger of the two has its gradient before and behind the log-softmax, 8
    bytes. In chunks all of this is of one chunk only.
    """
    num_frames = plan.num_frames
    if plan.logits_chunk_frames is not None:
        num_frames = min(num_frames, plan.logits_chunk_frames)
    text, speech = model.llm.vocab_size, SPEECH_ROWS
    return num_frames * (4 * (text + speech) + 8 * max(text, speech))


PARTS = {
    "weights": weight_bytes,
    "AdamW": optimiser_bytes,
    "gradients": gradient_bytes,
    "activations: LLM": llm_bytes,
    "activations: adapter": adapter_bytes,
    "activations: encoder": encoder_bytes,
    "logits": logit_bytes,
}


def peak_bytes(model: Model, plan: Plan) -> float:
    """Highest sum of parts that exist together.

    Gradients come while activations go, and are gone before the next forward pass: of
    the two the larger counts, at the two ends of the backward pass.
    """
    parts = {name: part(model, plan) for name, part in PARTS.items()}
    gradients = parts.pop("gradients")
    stay = parts.pop("weights") + parts.pop("AdamW")
    return stay + max(gradients, sum(parts.values()))


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--llm", choices=LLMS, default="1.1B", help="size (1.1B)")
    parser.add_argument("--seconds", type=float, default=1000, help="a GPU (1000)")
    parser.add_argument(
        "--conversation_seconds", type=float, default=100, help="each (100)"
    )
    parser.add_argument("--logits_chunk_frames", type=int, default=1024)
    parser.add_argument(
        "--num_shards", type=int, default=1, help="GPUs of DeepSpeed ZeRO-2 (1: none)"
    )
    return parser


def make_plans(args: argparse.Namespace) -> list[Plan]:
    """From nothing saved to everything saved."""
    common = {
        "num_frames": round(args.seconds * FRAMES_PER_SECOND),
        "conversation_frames": round(args.conversation_seconds * FRAMES_PER_SECOND),
        "num_shards": args.num_shards,
    }
    chunks = {"logits_chunk_frames": args.logits_chunk_frames}
    return [
        Plan("float32", is_mixed=False, **common),
        Plan("bf16", **common),
        Plan("bf16, chunks", **chunks, **common),
        Plan("bf16, chunks, checkpointing", is_checkpointed=True, **chunks, **common),
    ]


def main(cmd=None):
    """Print the table; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    model, plans = Model(Llm(**LLMS[args.llm])), make_plans(args)
    print(
        f"{args.llm}: {model.weights() / 1e6:.0f} M weights, {args.seconds:g} s on a GPU "
        f"in conversations of {args.conversation_seconds:g} s, GiB\n"
    )
    rows = {name: [part(model, plan) for plan in plans] for name, part in PARTS.items()}
    rows["peak"] = [peak_bytes(model, plan) for plan in plans]
    print("|", " | ".join(["part", *(plan.name for plan in plans)]), "|")
    print("|", " | ".join("---" for _ in range(1 + len(plans))), "|")
    for name, values in rows.items():
        print("|", " | ".join([name, *(f"{v / 2**30:.1f}" for v in values)]), "|")


if __name__ == "__main__":
    sys.exit(run_cli(main))
