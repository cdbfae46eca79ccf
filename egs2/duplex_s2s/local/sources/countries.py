"""Templated dialogues about countries; questions need what was said before."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sources.country_wordings import LANGUAGES, LAST_WORDS, OPENINGS, TEMPLATES
from sources.dictionary import num_unknown_words
from sources.rows import Job, Options, agent, make_row, user
from text_sources import load_countries, well_known

COMPARISONS = frozenset(["area", "people"])


@dataclass(frozen=True, kw_only=True)
class CountryOptions(Options):
    """Options of `country_dialogues`.

    Attributes:
        per_country: different dialogues about each country.
        max_exchanges: questions in a dialogue, two or more.
        thanks_share: of dialogues that end with thanks.
    """

    name: str = "country_dialogues"
    per_country: int = 5
    max_exchanges: int = 4
    thanks_share: float = 0.3


def country_dialogues(options: CountryOptions, job: Job) -> Iterator[dict]:
    """Dialogues of two questions or more about one country; no two are the same."""
    everywhere = load_countries()
    names = {c["ISO"]["alpha3"]: c["name"] for c in everywhere if "ISO" in c}
    countries = well_known(everywhere)
    seen: set[tuple[str, ...]] = set()
    for country in countries:
        others = [c for c in countries if is_comparable(country, c)]
        for number in range(options.per_country):
            rng = random.Random(f"{job.seed}/{options.name}/{country['name']}/{number}")
            facts = country_facts(
                country, names, rng.choice(others) if others else None
            )
            turns = dialogue(facts, options, rng)
            key = tuple(turn["text"] for turn in turns if turn["role"] == "user")
            if len(key) < 2 or key in seen:
                job.refused["too few facts, or the same dialogue twice"] += 1
            elif any(num_unknown_words(turn["text"]) for turn in turns):
                job.refused["a word that is not in the dictionary"] += 1
            else:
                seen.add(key)
                name = f"{country['ISO']['alpha3'].lower()}_{number}"
                yield make_row(options, name, turns, "MIT", "countryinfo, data")


def is_comparable(one: Mapping, two: Mapping) -> bool:
    """Whether two countries of one region differ twofold in area and in people."""
    return one["subregion"] == two["subregion"] and all(
        max(one[key], two[key]) >= 2 * min(one[key], two[key])
        for key in ("area", "population")
    )


def country_facts(
    country: Mapping, names: Mapping[str, str], other: Mapping | None
) -> dict[str, dict[str, str]]:
    """What fills each template that fits the country: template -> fields.

    Args:
        country: of countryinfo.
        names: of countries by their three letters.
        other: a country to compare with.
    """
    name = country["name"]
    borders = [names.get(code, "") for code in country["borders"]]
    language = LANGUAGES.get(next(iter(country["languages"]), ""))
    facts = {
        "capital": {"capital": country["capital"]},
        "region": {"subregion": country["subregion"]},
        "demonym": {"demonym": country["demonym"]},
    }
    if language and len(country["languages"]) == 1:
        facts["language"] = {"language": language}
    if 1 <= len(borders) <= 4 and all(borders):
        facts["borders"] = {"borders": " and ".join(", ".join(borders).rsplit(", ", 1))}
    if not borders:
        facts["island"] = {}
    if other:
        by_area = sorted((other, country), key=lambda c: c["area"])
        by_people = sorted((other, country), key=lambda c: c["population"])
        facts["area"] = {"smaller": by_area[0]["name"], "bigger": by_area[1]["name"]}
        facts["people"] = {
            "emptier": by_people[0]["name"],
            "fuller": by_people[1]["name"],
        }
    fields = {"name": name, "other": other["name"] if other else ""}
    return {key: {**fields, **given} for key, given in facts.items()}


def dialogue(
    facts: Mapping[str, dict[str, str]], options: CountryOptions, rng: random.Random
) -> list[dict]:
    """Turns about some of the facts in a drawn order and wording."""
    first = rng.choice(sorted(set(facts) - COMPARISONS))
    count = rng.randint(2, options.max_exchanges) - 1
    rest = sorted(set(facts) - {first})
    rest = rng.sample(rest, min(count, len(rest)))
    # After a comparison "there" could be either country.
    chosen = [first, *sorted(rest, key=lambda key: key in COMPARISONS)]
    turns = []
    for number, key in enumerate(chosen):
        template, fields = TEMPLATES[key], facts[key]
        wordings = template.later if number else template.first
        opening = "" if number else rng.choice(OPENINGS)
        turns.append(user(opening + rng.choice(wordings).format(**fields)))
        turns.append(agent(rng.choice(template.answers).format(**fields)))
    if rng.random() < options.thanks_share:
        thanks, replies = rng.choice(LAST_WORDS)
        turns += [user(thanks), agent(rng.choice(replies))]
    return turns
