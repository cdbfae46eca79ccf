"""Scores of a full-duplex agent, from wav files and turns only, never from a model.

Judges, recognisers and language models are handed in; nothing here loads the agent.

The way of one conversation through this package::

    recordings            <decode dir>/<set>/<id>/{input,output}.wav, output.json, turns
    activity              output.wav -> segments in which the agent speaks
    speech.agent_speech   segments -> how it sounds, and whose voice it is
    asr.transcription     segments -> what was said, by a speech recogniser
    turn_taking           segments, user turns -> events: barge-in, false alarm, response;
                          reactions to backchannels, noises and pauses
    answers               said, written, reference, brought together per user turn
    response_quality      answers -> counts: BLEU, word errors, exact answers
    gpt                   answers -> the GPT score, by a judge
    conversation_scores   all of it, of one conversation, and its counts
    results               counts of a set -> results.json; all sets -> RESULTS.md
    score_page            the same to look at and to listen to

`scoring` leads sets of conversations along this way.

The way of one sentence that a codec reconstructs (bin/codec_score.py)::

    speech.judges         wav beside its recording -> scores, each judge by its name
    codec_report          scores of all sentences -> results.json, table (Sec. 6.3), page

The way of a corpus (egs2/duplex_s2s/local/report_data.py)::

    data_report           turns, events, sources -> records, counts, outliers, Table 1, page

Full-Duplex-Bench's definitions stand in `full_duplex_bench`.

Counts of conversations add up to the counts of a set (`counts.Counts`); rates are
computed last and are None where there was nothing to measure.
"""
