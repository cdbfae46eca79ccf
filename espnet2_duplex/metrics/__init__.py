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

The way of one sentence that a codec reconstructs (bin/codec_score.py)::

    judges               wav beside its recording -> scores, each judge by its name
    speech_quality, speaker_similarity, squim   the judges
    codec_results        scores of all sentences -> an entry of results.json,
                         with character_errors and bootstrap
    codec_table          entries -> the table of Sec. 6.3
    codec_page           the same to look at and to listen to

The way of a corpus (egs2/duplex_s2s/local/report_data.py)::

    data_records      turns, events, source -> a record of one conversation
    floor_changes     turns -> gaps, pauses, barge-ins, overlaps
    data_statistics   records -> counts, with distribution
    data_outliers     records -> what is unusual, by id; data_audio listens, too
    data_report       counts of sets -> counts of the corpus, as JSON
    data_tables, data_figures, data_page   Table 1 of the paper, and a page to look at

Counts of conversations add up to the counts of a set (`counts.Counts`); rates are
computed last and are None where there was nothing to measure.
"""
