"""Full-Duplex-Bench v1 and v1.5, offline: from sound and words, whichever system spoke.

=========================  ===========================================================
module                     measures
=========================  ===========================================================
:mod:`.take_over`          whether the agent took the turn (TOR, the takeover rate)
:mod:`.pause_handling`     TOR while the user only pauses
:mod:`.turn_taking`        TOR and latency after the user's turn
:mod:`.user_interruption`  TOR, latency, stop and a judge's rating after an interruption
:mod:`.backchannel`        TOR, frequency and timing of the agent's short responses
:mod:`.timing_v15`         stop and response latencies of overlapping speech (v1.5)
:mod:`.behaviour`          what the agent did after an overlap, by a judge (v1.5)
=========================  ===========================================================

Papers: arXiv 2503.04721 (v1), 2507.23159 (v1.5); the definitions are those of the code
published with them (github.com/DanielLin94144/Full-Duplex-Bench, directory v1_v1.5).
The mode "strict" gives that code's figures, with its faults; "fixed" repairs what
:mod:`.mode` lists and says in words what that changed.
"""
