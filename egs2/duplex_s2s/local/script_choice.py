"""Which of the scripts a set is drawn from, and why not from the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from spoken_scripts import LeftOut, Material

from espnet2_duplex.simulation.partners import Partners
from espnet2_duplex.simulation.script import Script
from espnet2_duplex.simulation.settings import Settings
from espnet2_duplex.simulation.utterances import is_too_long


@dataclass(frozen=True)
class Choice:
    """Scripts that one set is drawn from, and those that it cannot use."""

    scripts: tuple[Script, ...]
    left_out: tuple[LeftOut, ...]


def choose_scripts(name: str, settings: Settings, material: Material) -> Choice:
    """Scripts of the wanted datasets without those that the settings rule out.

    Turns may be too long; and of a conversation in which no user turn follows an answer
    there is no impatient one. A set that is like another one has all of that one's
    scripts, as its draws are those.
    """
    limit = settings.turn_taking.max_turn_seconds
    chosen, left_out = [], []
    for script in material.scripts.get(settings.scripts or name, ()):
        if settings.sources and script.source not in settings.sources:
            continue
        if is_too_long(script, limit):
            reason = f"a turn is longer than {limit:g} s"
            left_out.append(LeftOut(script.id, reason))
        else:
            chosen.append(script)
    if settings.turn_taking.impatient and not settings.like:
        reason = f"no user turn follows an answer, as {name} needs it"
        hasty = _hasty(settings, chosen)
        kept = {script.id for script in hasty}
        left_out += [LeftOut(one.id, reason) for one in chosen if one.id not in kept]
        chosen = hasty
    return Choice(tuple(chosen), tuple(left_out))


def check_choice(
    name: str, settings: Settings, choice: Choice, material: Material
) -> None:
    """The set has scripts, of each dataset that its settings name.

    Raises:
        ValueError: it has none; tells what there is.
    """
    wanted = settings.scripts or name
    missing = sorted(
        set(settings.sources) - {script.source for script in choice.scripts}
    )
    is_hasty = not settings.turn_taking.impatient or _hasty(settings, choice.scripts)
    if choice.scripts and not missing and is_hasty:
        return
    of = f" of {', '.join(missing)}" if missing else ""
    if wanted in material.scripts:
        sources = {script.source for script in material.scripts[wanted]}
        found = f"of {', '.join(sorted(sources))}"
    else:
        found = f"sets {', '.join(sorted(material.scripts)) or 'none'}"
    hint = ""
    if settings.turn_taking.impatient:
        hint = (
            ", and as turn_taking.impatient halves the silence before a user turn that "
            "follows an answer, give it several exchanges, or num_exchanges above 1 and "
            "several of a dataset in each voice"
        )
    raise ValueError(
        f"set {name}: no conversation{of} of conversations.jsonl is left in the set "
        f"{wanted!r} (there are {found}); correct the corpus YAML or see "
        f"left_out.jsonl{hint}."
    )


def _hasty(settings: Settings, scripts: Sequence[Script]) -> list[Script]:
    """Scripts in which a user can be impatient."""
    partners = Partners(scripts, settings.num_exchanges)
    return [script for script in scripts if partners.may_be_followed(script)]
