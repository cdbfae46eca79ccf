"""Duplex corpora of other projects, read and written.

Every format is read into :class:`~espnet2_duplex.formats.recording.DuplexRecording`
and written from it, one conversation after the other, so that each converts into each
(``python -m espnet2_duplex.bin.convert_data``).

===========  ====================================================  ====================
name         what it is                                            module
===========  ====================================================  ====================
``kaldi``    a data folder of this project                         kaldi
``shar``     Lhotse Shar as NeMo's duplex dataset reads it         shar
``moshi``    moshi-finetune: JSONL, stereo wavs, word times        moshi
``fdb``      Full-Duplex-Bench folders, v1 and v1.5, a task each   full_duplex_bench
``stereo``   two-channel calls, with or without transcripts        stereo_calls
===========  ====================================================  ====================

What comes back when a format is written and read again:

======================  ========  ==========  ==========  ===========  ==========
..                      kaldi     shar        moshi       fdb          stereo
======================  ========  ==========  ==========  ===========  ==========
turns, texts            exact     exact       exact [1]_  exact [1]_   exact [1]_
speaker, source,        exact     in          exact [1]_  exact [1]_   exact [1]_
events                            ``custom``
user's samples          exact     exact       resampled   exact at     exact at
                                              to 24 kHz   16 kHz       equal rates
agent's samples         exact     exact       resampled   exact        exact at
                                              to 24 kHz                equal rates
streams of unequal      exact     padded      padded      exact        padded
length [2]_
======================  ========  ==========  ==========  ===========  ==========

Samples are exact if they have 16 bits (others are rounded to 16 bits) and no other
rate is asked for.

.. [1] Through keys of ours beside the format's own. Without these keys, from files of
   others: ``moshi`` has the agent's words only, so that the user's turns are detected;
   ``fdb`` has one or two of the user's turns, and no agent before a system was run;
   ``stereo`` has nothing, so that all turns are detected and transcribed.
.. [2] By less than one frame of 80 ms; the shorter one gets silence at its end.

Each writer notes what its files were made from
(:mod:`~espnet2_duplex.formats.target_record`): the next run makes only those again that
differ and removes those that no longer come.

This package imports nothing heavy; lhotse, the detector and the recogniser are loaded
when they are used.
"""
