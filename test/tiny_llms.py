"""Tiny language models of several families, with random weights."""

from pathlib import Path

import numpy as np
import torch

_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
LLMS = {
    "qwen3": {  # like Qwen3: head size of its own, norms of queries and keys, untied
        **_SIZES,
        "model_type": "qwen3",
        "intermediate_size": 48,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "tie_word_embeddings": False,
    },
    "qwen2": {  # biases of queries, keys and values
        **_SIZES,
        "model_type": "qwen2",
        "intermediate_size": 48,
        "num_key_value_heads": 2,
    },
    "gemma3": {  # scaled embeddings, two kinds of layers with rotations of their own
        **_SIZES,
        "model_type": "gemma3_text",
        "intermediate_size": 48,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "sliding_window": 4,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "gpt2": {
        "model_type": "gpt2",
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 2,
        "n_positions": 24,
        "bos_token_id": 0,
        "eos_token_id": 0,
    },
    "opt": {
        **_SIZES,
        "model_type": "opt",
        "ffn_dim": 48,
        "word_embed_proj_dim": 32,
        "max_position_embeddings": 24,
    },
}


def make_visible(module: torch.nn.Module) -> torch.nn.Module:
    """Weights so large that attention and positions change what comes out."""
    for weight in module.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.2)
    return module.eval()


def write_gguf(path: Path, tokens: list[str], num_layers: int = 2) -> dict:
    """A GGUF file of a Llama as llama.cpp writes it; its tensors by GGUF name."""
    import gguf

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(num_layers)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(48)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * (len(tokens) - 2))
    writer.add_token_merges(["a b", "b c"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    rng = np.random.default_rng(0)
    shapes = {"token_embd": (len(tokens), 32), "output_norm": (32,)}
    for n in range(num_layers):
        shapes |= {f"blk.{n}.attn_norm": (32,), f"blk.{n}.ffn_norm": (32,)}
        shapes |= {f"blk.{n}.attn_{part}": (32, 32) for part in "qkv"}
        shapes |= {f"blk.{n}.attn_output": (32, 32), f"blk.{n}.ffn_down": (32, 48)}
        shapes |= {f"blk.{n}.ffn_gate": (48, 32), f"blk.{n}.ffn_up": (48, 32)}
    tensors = {
        name: rng.standard_normal(shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    for name, values in tensors.items():
        writer.add_tensor(f"{name}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tensors
