"""Memory of one training step, part by part: the formulas."""

from dataclasses import dataclass

from training_benchmark.model_sizes import SPEECH_ROWS, Llm, Model

MEL_FRAMES = 8  # of 10 ms in a frame


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
