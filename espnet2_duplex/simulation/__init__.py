"""Duplex data from spoken turns (Sec. 4): the way of one conversation.

1. A :class:`~espnet2_duplex.simulation.script.Script` holds what is said: turns, each
   with a wav file, nothing yet about when.
2. :mod:`~espnet2_duplex.simulation.drawing` decides when: it draws silences, barge-ins
   and pauses within user turns (`silences`), places the turns (`timeline`) and their
   sound (`placing`), adds backchannels and noises (`user_sounds`), all from one seed,
   and gives a :class:`~espnet2_duplex.simulation.layout.Layout`.
3. :mod:`~espnet2_duplex.simulation.streams` puts the layout's pieces of wav files into
   the user's and the agent's stream.
4. :mod:`~espnet2_duplex.simulation.user_channel` lets the user's stream go through a
   room, a telephone, a bad network, with noise and the agent's echo.

What is drawn and how often stands in
:class:`~espnet2_duplex.simulation.settings.Settings`; without settings it is what the
paper has.
"""
