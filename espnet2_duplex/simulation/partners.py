"""Single exchanges that are joined into one conversation (Sec. 4.2)."""

import random
from collections.abc import Mapping, Sequence

from espnet2_duplex.simulation.script import Script
from espnet2_duplex.simulation.tally import Tally

SEVERAL_EXCHANGES = "conversations of several exchanges"


class Partners:
    """Finds, for a single exchange, others of its dataset in its voice.

    Args:
        scripts: of a set.
        num_exchanges: how many are joined, with shares.
    """

    def __init__(
        self, scripts: Sequence[Script], num_exchanges: Mapping[int, float]
    ) -> None:
        counts = sorted(num_exchanges.items())  # their order in a file is no matter
        self._counts, self._shares = zip(*counts)
        self._joins = any(count > 1 and share > 0 for count, share in counts)
        self._alike: dict[tuple[str, str], list[Script]] = {}
        for script in scripts:
            if script.is_single:
                self._alike.setdefault(_key(script), []).append(script)

    def may_be_followed(self, script: Script) -> bool:
        """Whether the simulation places a user turn after an answer in the script.

        That is so if it has several exchanges whose times are open, or is one that may
        be joined with another.
        """
        if not script.is_single or not self._joins:
            return script.has_open_pause
        alike = self._alike[_key(script)]
        return any(other.text != script.text for other in alike)

    def join(self, first: Script, rng: random.Random, tally: Tally) -> list[Script]:
        """The script, followed by as many others as are drawn and there are."""
        (count,) = rng.choices(self._counts, self._shares)
        chosen = [first]
        if first.is_single:
            alike = self._alike[_key(first)]
            # Some more than are wanted, as the same text may be among them.
            for script in rng.sample(alike, min(len(alike), 4 * count)):
                said = [other.text for other in chosen]
                if len(chosen) < count and script.text not in said:
                    chosen.append(script)
        if count > 1 and len(list(first.exchanges())) == 1:
            tally.note(SEVERAL_EXCHANGES, _why_fewer(first, len(chosen), count))
        return chosen


def _why_fewer(first: Script, num_chosen: int, count: int) -> str:
    """Why there are not `count` exchanges; "" if there are."""
    if num_chosen == count:
        return ""
    if not first.is_single:
        return (
            f"a conversation of {first.source} has given times or an agent who begins"
        )
    found = "too few others" if num_chosen > 1 else "no other"
    return f"{found} of {first.source} in the same voice"


def _key(script: Script) -> tuple[str, str]:
    """What two scripts must share to be joined."""
    return script.source, script.speaker
