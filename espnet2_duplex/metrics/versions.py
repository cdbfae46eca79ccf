"""Versions of the packages whose networks and rules scores depend on."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

LISTENERS = ("silero-vad", "speechmos", "resemblyzer")  # what heard.jsonl depends on
SCORERS = (
    *LISTENERS,
    "faster-whisper",
    "transformers",
    "whisper-normalizer",
    "sacrebleu",
)


def versions_of(packages: Iterable[str]) -> dict[str, str | None]:
    """Version of each package, None where it is not installed."""
    return {package: _version(package) for package in packages}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
