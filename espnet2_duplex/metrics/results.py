"""Counts of a set -> results.json, and both it and conversations.jsonl on disk."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from espnet2_duplex.jsonl import read_jsonl, write_jsonl, write_text
from espnet2_duplex.metrics.conversation_scores import SetCounts
from espnet2_duplex.metrics.counts import Latencies
from espnet2_duplex.metrics.gpt.score import GptCounts
from espnet2_duplex.metrics.response_quality import QualityCounts
from espnet2_duplex.metrics.turn_taking.counting import TurnTakingCounts
from espnet2_duplex.metrics.turn_taking.reaction_counts import (
    ReactionCounts,
    SoundCounts,
)

NUM_DECIMALS = 6  # microseconds
RESULTS_FILE = "results.json"
CONVERSATIONS_FILE = "conversations.jsonl"
DIGEST_KEY = "conversations_sha256"


def to_results(
    name: str,
    counts: SetCounts,
    options: dict,
    versions: Mapping[str, str | None],
    judge_problem: str | None,
) -> dict:
    """The content of results.json but for the digest of conversations.jsonl: rates as
    fractions, times in seconds, None where there was nothing to measure.

    Args:
        name: of the set.
        counts: pooled over its conversations.
        options: all definitions that were used.
        versions: of the packages that were used.
        judge_problem: why not everything was judged; the GPT score is None then, since
            what was judged until then is no set.
    """
    results = {
        "set": name,
        "num_conversations": counts.num_conversations,
        "num_problems": counts.num_problems,
        "num_silent": counts.num_silent,
        "declared_latency": counts.declared_latencies.mean,
        **_turn_taking_results(counts.turn_taking),
        "reactions": _reaction_results(counts.reactions),
        **_quality_results(counts.quality),
        "speech": counts.speech.means(),
        "gpt_score": _gpt_results(counts.gpt, options, judge_problem),
    }
    return {
        **rounded(results),
        "options": options,
        "versions": dict(versions),
        "counts": counts.to_dict(),
    }


def write_results(folder: Path, results: dict, rows: Iterable[dict]) -> None:
    """Write ``conversations.jsonl``, then ``results.json`` with its digest.

    Each is written at once; after a stop in between the digest does not fit.

    Args:
        folder: gets both.
        results: from `to_results`.
        rows: of the conversations.
    """
    path = Path(folder) / CONVERSATIONS_FILE
    write_jsonl(path, rows)
    results = {**results, DIGEST_KEY: _digest(path)}
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(Path(folder) / RESULTS_FILE, text + "\n")


def read_results(path: Path) -> dict:
    """Read a results.json.

    Raises:
        ValueError: it is missing or damaged.
    """
    try:
        results = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} is not readable ({error}); score its set again"
        ) from error
    if not isinstance(results, dict):
        raise ValueError(f"{path} holds no JSON object; score its set again")
    return results


def read_scored(folder: Path) -> tuple[dict, list[dict]]:
    """What `write_results` wrote: the content of results.json, and the rows.

    Raises:
        ValueError: a file is missing or damaged, or they are not of one run.
    """
    folder = Path(folder)
    results = read_results(folder / RESULTS_FILE)
    rows = read_jsonl(folder / CONVERSATIONS_FILE)
    if results.get(DIGEST_KEY) != _digest(folder / CONVERSATIONS_FILE):
        raise ValueError(
            f"{folder / RESULTS_FILE} and {CONVERSATIONS_FILE} beside it do not come "
            "from one run that came to its end; score the set again"
        )
    return results, rows


def scored_sets(results_dir: Path) -> list[str]:
    """Names of the sets of a decode folder that were scored.

    Raises:
        ValueError: there is none.
    """
    names = sorted(path.parent.name for path in results_dir.glob(f"*/{RESULTS_FILE}"))
    if not names:
        raise ValueError(
            f"{results_dir} has no <set>/{RESULTS_FILE}; score at least one set first"
        )
    return names


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _turn_taking_results(counts: TurnTakingCounts) -> dict:
    barge_in, false_alarm = counts.barge_in, counts.false_alarm
    response = counts.response
    return {
        "barge_in": {
            "num_events": barge_in.num_events,
            "num_success": barge_in.num_success,
            "num_unstopped": barge_in.num_unstopped,
            "success_rate": barge_in.success_rate,
            "latency_mean": barge_in.success_latencies.mean,
            "latency_mean_all": barge_in.all_latencies.mean,
            "num_with_text": barge_in.num_with_text,
            "num_natural_ends": barge_in.num_natural_ends,
            "natural_end_rate": barge_in.natural_end_rate,
        },
        "false_alarm": {
            "num_user_turns": false_alarm.num_user_turns,
            "num": false_alarm.num,
            "rate": false_alarm.rate,
            "num_segments": false_alarm.num_segments,
            "per_minute": false_alarm.per_minute,
            "num_wide": false_alarm.num_wide,
            "rate_wide": false_alarm.rate_wide,
            "per_minute_wide": false_alarm.per_minute_wide,
        },
        "first_response": {
            **_distribution(response.first_latencies),
            "num_answerable": response.num_answerable,
            "num_answered": response.num_answered,
            "rate_answered": response.rate_answered,
        },
        "response": _distribution(response.latencies),
    }


def _reaction_results(counts: ReactionCounts) -> dict:
    pause = counts.pause
    return {
        "backchannel": _sound_results(counts.backchannel),
        "noise": _sound_results(counts.noise),
        "pause": {
            "num": pause.num,
            "num_taken": pause.num_taken,
            "rate_taken": pause.rate_taken,
        },
    }


def _sound_results(counts: SoundCounts) -> dict:
    return {
        "num": counts.num,
        "num_stopped": counts.num_stopped,
        "rate_stopped": counts.rate_stopped,
        "num_natural_ends": counts.num_natural_ends,
        "num_outside": counts.num_outside,
        "num_answered": counts.num_answered,
        "rate_answered": counts.rate_answered,
    }


def _quality_results(counts: QualityCounts) -> dict:
    text = counts.text
    return {
        "asr_bleu": counts.bleu.bleu,
        "wer_speech_vs_text": counts.speech_words.rate,
        "text_exact": {
            "num_turns": text.num_turns,
            "num_exact": text.num_exact,
            "rate": text.rate,
        },
        "text_prefix": {
            "num_turns": text.num_cut,
            "num_prefix": text.num_prefix,
            "rate": text.rate_prefix,
        },
    }


def _gpt_results(counts: GptCounts, options: dict, problem: str | None) -> dict:
    gpt = options["gpt"]
    is_known = gpt is not None and problem is None
    return {
        "score": counts.mean(gpt["pooling"]) if is_known else None,
        "num_scored": counts.num_scored,
        "num_failed": counts.num_failed,
        "problem": problem,
    }


def _distribution(latencies: Latencies) -> dict:
    return {
        "num": len(latencies),
        "mean": latencies.mean,
        "mean_not_early": latencies.mean_not_negative,
        "median": latencies.median,
        "p90": latencies.p90,
        "num_early": latencies.num_negative,
    }


def rounded(value):
    """Floats inside dicts and tuples, rounded: what lies below is a division's noise."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [rounded(item) for item in value]
    return round(value, NUM_DECIMALS) if isinstance(value, float) else value
