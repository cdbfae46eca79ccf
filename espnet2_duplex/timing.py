"""Seconds, samples and frames: the only code that turns them into each other.

Everything happens on one grid of frames, 12.5 a second in the paper (Sec. 5.1).
Frame ``t`` covers the seconds from ``t / rate`` up to, but not including,
``(t + 1) / rate``::

    seconds   0.00      0.08      0.16      0.24
              |---------|---------|---------|
    frame          0         1         2
    samples   0         1280      2560      3840     16 kHz (user)
    samples   0         1764      3528      5292     22.05 kHz (agent)

Rates are fractions and seconds are counted in whole microseconds, because floating
point misplaces frame boundaries: of the first 1,999 (``t = 0.08, 0.16, ...``),
``int(t * 12.5)`` puts 137 into the frame before. How a function rounds is in its name.
"""

from dataclasses import dataclass
from fractions import Fraction

MICROSECONDS_PER_SECOND = 1_000_000


def microseconds(seconds: float) -> int:
    """Nearest whole number of microseconds.

    One microsecond is far below a sample (45 microseconds at 22.05 kHz) and far above
    the error of a float, so that two ways of computing one instant agree.

    Args:
        seconds: any finite number of seconds.

    Raises:
        ValueError: ``seconds`` is infinite or not a number.
    """
    try:
        return round(seconds * MICROSECONDS_PER_SECOND)
    except (OverflowError, ValueError):
        raise ValueError(
            f"a time of {seconds} s has no place on the frame grid; "
            "give a finite number of seconds"
        ) from None


def whole_microseconds(seconds: float) -> float:
    """Seconds without the error of float sums, as they stand in files.

    Raises:
        ValueError: as :func:`microseconds`.
    """
    return microseconds(seconds) / MICROSECONDS_PER_SECOND


def nearest_sample(seconds: float, sample_rate: int) -> int:
    """Index of the sample nearest to ``seconds``; ties go to the later one.

    The inverse is ``sample / sample_rate``: for every rate up to 500 kHz,
    ``nearest_sample(n / sample_rate, sample_rate) == n``.

    Args:
        seconds: time since the beginning.
        sample_rate: samples per second.
    """
    return _nearest(microseconds(seconds) * sample_rate, MICROSECONDS_PER_SECOND)


@dataclass(frozen=True)
class FrameClock:
    """Converts times for one frame rate.

    Attributes:
        frame_rate: frames per second, exact. Text and floats as they stand in YAML
            ("25/2", 12.5) are taken too.

    Raises:
        ValueError: the rate is not above zero.

    Example:
        >>> clock = FrameClock()
        >>> clock.nearest_frame(1.28), clock.samples_per_frame(22050)
        (16, 1764)
    """

    frame_rate: Fraction = Fraction(25, 2)

    def __post_init__(self) -> None:
        # Through str, so that a float becomes the fraction that it was written as.
        rate = Fraction(str(self.frame_rate))
        if rate <= 0:
            raise ValueError(
                f"a frame rate of {self.frame_rate} Hz was given; "
                "it must be above zero"
            )
        object.__setattr__(self, "frame_rate", rate)

    def samples_per_frame(self, sample_rate: int) -> int:
        """Samples in one frame: ``sample_rate / frame_rate``.

        Raises:
            ValueError: frames of this rate do not hold a whole number of samples.
        """
        samples = Fraction(sample_rate) / self.frame_rate
        if samples.denominator != 1 or samples <= 0:
            raise ValueError(
                f"{sample_rate} Hz does not divide into whole frames at "
                f"{float(self.frame_rate):g} Hz; resample to a multiple of "
                f"{float(self.frame_rate):g} Hz first"
            )
        return samples.numerator

    def nearest_frame(self, seconds: float) -> int:
        """Frame whose beginning is nearest to ``seconds``; ties go to the later one."""
        return _nearest(*self._frames(seconds))

    def ceil_frames(self, seconds: float) -> int:
        """Frames that are needed to cover ``seconds``, the last perhaps in part."""
        numerator, denominator = self._frames(seconds)
        return -(-numerator // denominator)

    def num_frames(self, num_samples: int, sample_rate: int) -> int:
        """Frames that are needed to cover ``num_samples``, the last perhaps in part."""
        return -(-num_samples // self.samples_per_frame(sample_rate))

    def seconds(self, num_frames: int) -> float:
        """Beginning of frame ``num_frames``, or the length of so many, in seconds."""
        return float(num_frames / self.frame_rate)

    def nearest_sample(self, seconds: float, sample_rate: int) -> int:
        """See the function :func:`nearest_sample`."""
        return nearest_sample(seconds, sample_rate)

    def _frames(self, seconds: float) -> tuple[int, int]:
        """``seconds`` in frames, exactly, as numerator and denominator."""
        return (
            microseconds(seconds) * self.frame_rate.numerator,
            MICROSECONDS_PER_SECOND * self.frame_rate.denominator,
        )


def _nearest(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` to the nearest integer, ties upward."""
    return (2 * numerator + denominator) // (2 * denominator)
