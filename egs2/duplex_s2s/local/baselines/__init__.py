"""Other systems for the tables beside our model: `run_baseline.py` runs them.

A system gets the user's side of a conversation and gives the agent's (`sides.py`):

silent        says nothing
known_turns   ground-truth turns, answered by a text LLM (GT+LLM, Table 3) or by the
              reference itself
cascade       VAD, ASR, LLM and TTS in simulated real time; who has the floor is
              decided in `floor.py`
moshi_lm      kyutai's Moshi
"""
