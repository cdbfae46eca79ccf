"""Reports of whole sets -> the report of the corpus."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.report import DataReport, TokenModel

TRAIN_SET = "train"


def merge_reports(
    reports: Sequence[tuple[str, DataReport]], train_set: str | None = None
) -> DataReport:
    """One report of all sets.

    Args:
        reports: where each comes from, for messages, and the report; one or more.
        train_set: that Table 1 is about. None: the one that a report names, or else
            "train", or else all sets together.

    Raises:
        ValueError: a set comes twice, limits or tokenizers differ, or there is no such
            training set.
    """
    (_, merged), *others = reports
    for origin, report in others:
        _check_limits(origin, report.limits, merged.limits)
        _check_tokens(origin, report.token_model, merged.token_model)
        for name in merged.sets.keys() & report.sets.keys():
            raise ValueError(
                f"{origin} has the set {name}, which was there before; give each set "
                "once and as a whole."
            )
        merged = replace(
            merged,
            sets={**merged.sets, **report.sets},
            infos={**merged.infos, **report.infos},
            timings=merged.timings + report.timings,
        )
    named = [report.train_set for _, report in reports]
    return replace(merged, train_set=_train_set(merged, train_set, named))


def _train_set(
    merged: DataReport, wanted: str | None, named: list[str | None]
) -> str | None:
    known = ", ".join(merged.sets)
    if wanted is not None and wanted not in merged.sets:
        raise ValueError(
            f"--train_set is {wanted}, but the sets are {known}; name one of these."
        )
    candidates = {wanted} if wanted else {*named} - {None}
    if len(candidates) > 1:
        raise ValueError(
            f"the reports have the training sets {', '.join(sorted(candidates))}; say "
            "with --train_set which it is."
        )
    return next(iter(candidates), TRAIN_SET if TRAIN_SET in merged.sets else None)


def _check_limits(origin: str, found: OutlierLimits, expected: OutlierLimits) -> None:
    wanted = asdict(expected)
    for name, value in asdict(found).items():
        if value != wanted[name]:
            raise ValueError(
                f"{origin} was made with the limit {name}={value:g}, what comes before "
                f"it with {wanted[name]:g}; give the same --limit to all."
            )


def _check_tokens(
    origin: str, found: TokenModel | None, expected: TokenModel | None
) -> None:
    if found != expected:
        raise ValueError(
            f"{origin} was counted with {_model(found)}, what comes before it with "
            f"{_model(expected)}; give the same --token_model to all."
        )


def _model(model: TokenModel | None) -> str:
    return f"{model.path} ({model.size} tokens)" if model else "no tokenizer"
