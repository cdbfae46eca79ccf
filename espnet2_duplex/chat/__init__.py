"""Chat models: what writes texts, and what judges them.

::

    backend       Message, Prompt and what a model must do; `open_backend` opens one
    endpoint      any model behind an OpenAI-compatible endpoint, answers kept on disk
    local_model   any chat model that transformers loads, in batches
    asking        questions whose answers must be of a certain form
    choices       probabilities of given continuations, from a local model's logits
    attention     the local model's attention on a CPU
"""
