"""The causal LLM of a duplex model: any decoder-only model of transformers.

Attention reaches back `window_frames` frames in both ways of running it, so that a
session's cache is a ring of fixed size: neither its memory nor its step time grows with
the length of the conversation.
"""

from espnet2_duplex.backbone.causal_llm import Backbone, BackboneState

__all__ = ["Backbone", "BackboneState"]
