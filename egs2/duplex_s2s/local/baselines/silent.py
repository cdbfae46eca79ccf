"""The system that says nothing: what each metric gives for no answer at all."""

import numpy as np
from baselines.sides import AgentSide, UserSide


class Silent:
    """Digital silence and no turns."""

    def take_part(self, user: UserSide) -> AgentSide:
        return AgentSide(np.zeros_like(user.speech), (), latency_seconds=0.0)
