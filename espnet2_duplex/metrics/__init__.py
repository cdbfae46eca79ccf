"""Scores of a full-duplex agent, from wav files and turns only, never from a model.

The way of one conversation through this package::

    recordings        <decode dir>/<set>/<id>/{input,output}.wav, output.json, turns
    activity          output.wav -> segments in which the agent speaks
    turn_taking       segments, user turns -> counts: barge-in, false alarm, response
    transcription     segments -> what was said, by a speech recogniser
    answers           said, written, reference, brought together per user turn
    response_quality  answers -> counts: BLEU, word errors, exact answers
    results           counts of a set -> results.json; all sets -> RESULTS.md
    figures           the same to look at

Counts of conversations add up to the counts of a set (`counts.Counts`); rates are
computed last and are None where there was nothing to measure.
"""
