"""espnet2-duplex: full-duplex speech-to-speech models for ESPnet (arXiv 2505.15670).

The way of one sample through the package::

    simulate  spoken turns -> user (S,) 16 kHz, agent (M,)         simulation/
              22.05 kHz, turns, events; or from other formats     formats/
    data      the same, checked                                   conversation.py,
                                                                  events.py
    codes     codec.encode(agent) -> codes (T, K), once, to arks  codec/, arks.py
    align     turns -> text channel (T,); codes -> speech         alignment.py, timing.py
              channels (T, K); speech one frame late
    batch     pad to whole frames; lengths say what is padding    train/
    model     perception(user) (B, T, H) + embed(text)            perception/
              + sum_k embed_k(codes[..., k]) -> causal LLM        backbone/
              -> text logits (B, T, V), speech (B, T, K, S)       duplex_lm.py
    loss      3 text + 1 each speech channel, valid frames only   loss/
    train     ESPnetDuplexS2SModel -> espnet2 Trainer             espnet_model.py, tasks/
    stream    one user frame -> one step of every module above    session.py
              -> codec.step -> one agent frame
    evaluate  user wav, agent wav, turns -> metrics               metrics/, scoring/

Modules import only from those before them: atomic, timing, vocabulary, arks < jsonl,
sound_files, llm_source < conversation, events, data_folder, words, chat < alignment, codec,
dataset_checks, metrics, tokenizer < simulation < formats < scoring < perception, backbone,
loss < duplex_lm < espnet_model, session, train < tasks < bin.
"""
