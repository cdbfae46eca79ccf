"""The training loss by its definition: padded rows, one mask, all logits at once."""

import torch
from torch.nn.functional import cross_entropy

from espnet2_duplex.loss import text_class_weights


def padded_hidden(backbone, embeds):
    """Hidden states (B, T, H) of padded embeddings, as transformers' sdpa has them."""
    backbone.llm.set_attn_implementation("sdpa")
    num_prompt = len(backbone.prompt_ids)
    if num_prompt:
        prompt = backbone.embed_text(backbone.prompt_ids)[None].to(embeds.dtype)
        embeds = torch.cat([prompt.expand(len(embeds), -1, -1), embeds], 1)
    frames = torch.arange(embeds.shape[1])
    distance = frames[:, None] - frames
    visible = (distance >= 0) & (distance < backbone.window_frames)
    mask = torch.zeros(visible.shape, dtype=embeds.dtype)
    mask.masked_fill_(~visible, torch.finfo(embeds.dtype).min)
    table_size = backbone.positions.table_size
    output = backbone.llm.get_decoder()(
        inputs_embeds=embeds,
        attention_mask=mask[None, None].expand(len(embeds), 1, -1, -1),
        position_ids=(frames if table_size is None else frames % table_size)[None],
        use_cache=False,
    )
    return output.last_hidden_state[:, num_prompt:]


def plain_loss(model, batch):
    """The loss of `model`, an ESPnetDuplexS2SModel that is not in training."""
    lengths, weights = batch["text_lengths"], model.loss_weights
    text, codes = batch["text"], batch["codes"]
    heard, _ = model.encoder(batch["user_speech"], batch["user_speech_lengths"])
    user = model.adapter(heard)
    embeds = model.duplex_lm.fuse(user[:, :-1], text[:, :-1], codes[:, :-1])
    logits = model.duplex_lm.logits(padded_hidden(model.duplex_lm.backbone, embeds))
    valid = torch.arange(1, text.shape[1]) < lengths[:, None]
    text, codes = text[:, 1:][valid], codes[:, 1:][valid]
    of_text = cross_entropy(logits.text[valid].float(), text, reduction="none")
    of_text = (of_text * text_class_weights(text, model.text_ids, weights)).sum()
    speech = logits.speech[valid].float().flatten(0, 1)
    of_speech = cross_entropy(speech, codes.flatten(), reduction="sum")
    loss = (weights.text * of_text + weights.speech * of_speech) / valid.sum()
    if model.ctc_weight:
        ctc = model.user_ctc(
            heard, lengths, batch["user_text"], batch["user_text_lengths"], 1000
        )
        loss = loss + model.ctc_weight * ctc / valid.sum()
    return loss
