"""Columns of the tables of scores: where in results.json a figure stands."""

from collections.abc import Iterable, Mapping, Sequence

from espnet2_duplex.metrics.score_column import (
    Column,
    hundredths_column,
    percent_column,
)


def measured_columns(
    columns: Iterable[Column], found: Sequence[Mapping]
) -> list[Column]:
    """Columns without those in which no set has anything to tell.

    Args:
        columns: all.
        found: contents of results.json.
    """
    return [
        column
        for column in columns
        if any(column.value(results) not in (None, column.dull) for results in found)
    ]


JUDGED = (
    " of the agent's speech without its silence; pauses of less than "
    "{merge_gap_seconds:g} s stay"
)
SUCCESS = percent_column(
    "stopped in time %",
    "barge-ins after which the agent stopped within {success_seconds:g} s of the "
    "user's onset (Sec. 5.2: success rate)",
    "barge_in",
    "success_rate",
)
NATURAL_END = percent_column(
    "at its own end %",
    "barge-ins after which the agent stopped where all that it wrote could be said, at "
    "the speed of the reference voice; it may not have heard the user at all. Of those "
    "in which its text is known",
    "barge_in",
    "natural_end_rate",
)
STOP = hundredths_column(
    "stop s",
    "user's onset to the end of the agent's speech, mean over barge-ins stopped in "
    "time (Sec. 5.2: barge-in latency)",
    "barge_in",
    "latency_mean",
)
FALSE_ALARMS = percent_column(
    "false alarms %",
    "user turns during which the agent began to speak, unless the turn ended within "
    "{tolerance_seconds:g} s (Sec. 5.2)",
    "false_alarm",
    "rate",
)
FIRST_RESPONSE = hundredths_column(
    "first response s",
    "end of the first user turn to the start of the agent's response, mean over those "
    "that are not early (Sec. 5.2)",
    "first_response",
    "mean_not_early",
)
UTMOS = Column(
    "UTMOS",
    "opinion score, 1 to 5, estimated by UTMOS22," + JUDGED,
    ("speech", "utmos"),
    1,
    1,
)
GPT_SCORE = Column(
    "GPT score",
    "a language model's mark for the agent's answers, 0 to 10, against the reference "
    "(Sec. 5.2)",
    ("gpt_score", "score"),
    1,
    1,
)
TURN_TAKING_COLUMNS = (
    Column(
        "barge-ins",
        "user turns that began inside the agent's speech",
        ("barge_in", "num_events"),
    ),
    SUCCESS,
    NATURAL_END,
    STOP,
    hundredths_column(
        "stop s, all",
        "the same mean over all barge-ins; up to the end of the recording where the "
        "agent did not stop",
        "barge_in",
        "latency_mean_all",
    ),
    Column(
        "not stopped",
        "barge-ins after which the agent spoke to the end of the recording",
        ("barge_in", "num_unstopped"),
    ),
    FALSE_ALARMS,
    percent_column(
        "false alarms, wide %",
        "the same, unless the turn ended within {wide_tolerance_seconds:g} s",
        "false_alarm",
        "rate_wide",
    ),
    hundredths_column(
        "false alarms a minute",
        "starts of the agent's speech during user turns, per minute of recording",
        "false_alarm",
        "per_minute",
    ),
    FIRST_RESPONSE,
    hundredths_column(
        "first response s, signed",
        "the same over all first responses; an early start is negative",
        "first_response",
        "mean",
    ),
    hundredths_column(
        "p90 s", "90th percentile of the signed first response", "first_response", "p90"
    ),
    Column(
        "early",
        "conversations in which the agent's first response began before the user's end",
        ("first_response", "num_early"),
    ),
    percent_column(
        "answered %",
        "user turns that left {min_answer_seconds:g} s for an answer and got one",
        "first_response",
        "rate_answered",
    ),
    percent_column(
        "backchannel stopped %",
        "backchannels of the user inside the agent's speech after which it stopped "
        "within {reaction_seconds:g} s, though it need not",
        "reactions",
        "backchannel",
        "rate_stopped",
    ),
    percent_column(
        "noise stopped %",
        "the same of noises",
        "reactions",
        "noise",
        "rate_stopped",
    ),
    percent_column(
        "pause taken %",
        "pauses inside user turns in which the agent began to speak",
        "reactions",
        "pause",
        "rate_taken",
    ),
)
QUALITY_COLUMNS = (
    percent_column(
        "exact text %",
        "answers whose written text is the reference's, word by word",
        "text_exact",
        "rate",
    ),
    Column(
        "ASR-BLEU",
        "BLEU of the transcript of the agent's speech against the reference",
        ("asr_bleu",),
        1,
        1,
    ),
    percent_column(
        "WER speech/text %",
        "word errors of the transcript against the text that the agent wrote",
        "wer_speech_vs_text",
    ),
    hundredths_column(
        "DNSMOS",
        "opinion score, 1 to 5, estimated by DNSMOS P.835 (overall)," + JUDGED,
        "speech",
        "dnsmos_overall",
    ),
    hundredths_column(
        "P.808",
        "opinion score, 1 to 5, estimated by DNSMOS P.808," + JUDGED,
        "speech",
        "dnsmos_p808",
    ),
    UTMOS,
    Column(
        "UTMOSv2",
        "opinion score, 1 to 5, estimated by UTMOSv2," + JUDGED,
        ("speech", "utmosv2"),
        1,
        1,
    ),
    hundredths_column(
        "similarity",
        "cosine of the speaker embeddings (Resemblyzer) of the agent's speech and of "
        "its voice, up to 1",
        "speech",
        "speaker_similarity",
    ),
    GPT_SCORE,
    Column(
        "GPT failed",
        "answers to which the language model gave no usable mark",
        ("gpt_score", "num_failed"),
        dull=0,
    ),
)
SET_COLUMNS = (
    Column("conversations", "that were scored", ("num_conversations",)),
    Column(
        "left out",
        "conversations that could not be scored; they are in no figure",
        ("num_problems",),
        dull=0,
    ),
)
COLUMNS = (*SET_COLUMNS, *TURN_TAKING_COLUMNS, *QUALITY_COLUMNS)
COLUMN_GROUPS = {  # title of a table -> its columns
    "All scores: turn taking": (*SET_COLUMNS, *TURN_TAKING_COLUMNS),
    "All scores: answers and speech": QUALITY_COLUMNS,
}
