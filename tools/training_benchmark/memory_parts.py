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
        logits_chunk_frames: frames whose logits exist at once.
        num_shards: GPUs over which ZeRO-2 spreads gradients and optimiser.
    """

    name: str
    num_frames: int
    conversation_frames: int
    is_mixed: bool = True
    is_checkpointed: bool = False
    logits_chunk_frames: int = 256
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

    Two norms keep their input, 2 H, in float32 always. Attention keeps queries and its
    output twice, 3 H, and keys and values; the feed-forward the gate and the other
    branch, 2 F. Inputs of the five first matrices: one for each norm, 2 H; under
    autocast each matrix has a bfloat16 copy of its own, 5 H.
    """
    width, inner = llm.hidden_size, llm.intermediate_size
    keys = width * llm.num_key_value_heads / llm.num_attention_heads
    attention = 3 * width + 2 * keys
    if plan.is_mixed:
        return 4 * 2 * width + 2 * (5 * width + attention + 2 * inner)
    return 4 * (2 * width + 2 * width + attention + 2 * inner)


def llm_bytes(model: Model, plan: Plan) -> float:
    """Activations of the LLM.

    All layers' frames; with checkpointing the input of each layer, 4 H bytes, and all
    of the one layer that is computed again.
    """
    llm = model.llm
    layer = llm_layer_bytes(llm, plan)
    frame = llm.num_hidden_layers * layer
    if plan.is_checkpointed:
        frame = llm.num_hidden_layers * 4 * llm.hidden_size + layer
    return plan.num_frames * frame


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


def head_bytes(model: Model, plan: Plan) -> float:
    """What the heads' loss keeps from the forward pass to the backward pass.

    The gradient of both heads, 4 bytes a weight, and that of the hidden states, H for
    each head. Beside it one chunk's logits of the larger head, in float32, and under
    autocast once more in bfloat16.
    """
    text, speech = model.llm.vocab_size, SPEECH_ROWS
    gradients = 4 * model.llm.hidden_size * (text + speech + 2 * plan.num_frames)
    chunk = min(plan.num_frames, plan.logits_chunk_frames)
    return gradients + chunk * max(text, speech) * (6 if plan.is_mixed else 4)


PARTS = {
    "weights": weight_bytes,
    "AdamW": optimiser_bytes,
    "gradients": gradient_bytes,
    "activations: LLM": llm_bytes,
    "activations: adapter": adapter_bytes,
    "activations: encoder": encoder_bytes,
    "heads": head_bytes,
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
