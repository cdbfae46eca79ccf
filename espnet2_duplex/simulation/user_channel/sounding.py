"""Where a stream is not digital silence, and work that is done only there."""

from math import gcd

import numpy as np
import scipy.fft
import soxr

CELLS_PER_SECOND = 50  # grid on which silence is looked for
SEARCH_CELL = 320  # samples
SILENT_CELLS = 5  # shorter silences are not worth a gap
MIN_FFT_LENGTH = 2048
SAMPLES_AT_ONCE = 2**17  # several blocks a transform are faster, but not out of cache


def sounding_cells(stream: np.ndarray, cell: int) -> np.ndarray:
    """Whether each stretch of `cell` samples, the last perhaps shorter, has sound.

    Args:
        stream: (N,) float32.
        cell: samples.
    Returns:
        (ceil(N / cell),) bool.
    """
    num_whole = len(stream) // cell
    sounding = stream[: num_whole * cell].reshape(num_whole, cell).any(axis=1)
    rest = stream[num_whole * cell :]
    return np.append(sounding, rest.any()) if len(rest) else sounding


def sounding_spans(stream: np.ndarray, cell: int) -> list[tuple[int, int]]:
    """Stretches with sound as (first cell, end cell), with a cell's margin around."""
    (cells,) = np.nonzero(sounding_cells(stream, cell))
    if len(cells) == 0:
        return []
    (gaps,) = np.nonzero(np.diff(cells) > SILENT_CELLS)
    firsts = cells[np.concatenate([[0], gaps + 1])]
    lasts = cells[np.concatenate([gaps, [len(cells) - 1]])]
    num_cells = -(-len(stream) // cell)
    return [
        (max(int(first) - 1, 0), min(int(last) + 2, num_cells))
        for first, last in zip(firsts, lasts)
    ]


def convolve(stream: np.ndarray, response: np.ndarray) -> np.ndarray:
    """First N samples of the convolution of a stream (N,) with a response (R,).

    Overlap-add of blocks that begin where there is sound, so that silence costs
    nothing.

    Returns:
        (N,) float32.
    """
    num_taps = len(response)
    # Twice to four times the response is where a block costs least per sample.
    fft_length = max(MIN_FFT_LENGTH, 2 << (num_taps - 1).bit_length())
    hop = fft_length - num_taps + 1
    starts = _block_starts(stream, hop)
    spectrum = scipy.fft.rfft(response.astype(np.float32, copy=False), fft_length)
    output = np.zeros(len(stream) + fft_length, np.float32)
    num_at_once = max(SAMPLES_AT_ONCE // fft_length, 1)
    for first in range(0, len(starts), num_at_once):
        batch = starts[first : first + num_at_once]
        blocks = np.zeros((len(batch), fft_length), np.float32)
        for block, start in zip(blocks, batch):
            piece = stream[start : start + hop]
            block[: len(piece)] = piece
        spectra = scipy.fft.rfft(blocks)
        spectra *= spectrum
        heard = scipy.fft.irfft(spectra, fft_length, overwrite_x=True)
        for start, block in zip(batch, heard):
            output[start : start + fft_length] += block
    return output[: len(stream)]


def _block_starts(stream: np.ndarray, hop: int) -> list[int]:
    """Starts of the fewest blocks of `hop` samples that hold all sound."""
    (cells,) = np.nonzero(sounding_cells(stream, SEARCH_CELL))
    starts: list[int] = []
    end = 0
    while end < len(stream):
        index = np.searchsorted(cells, end // SEARCH_CELL)
        if index == len(cells):
            break
        starts.append(max(end, int(cells[index]) * SEARCH_CELL))
        end = starts[-1] + hop
    return starts


def resample(
    stream: np.ndarray, from_rate: int, to_rate: int, num_samples: int
) -> np.ndarray:
    """A stream at another rate; only its sound is worked on.

    Args:
        stream: (M,) float32.
        from_rate: of `stream`, in Hz.
        to_rate: in Hz.
        num_samples: of the result, which is cut or padded with silence.
    Returns:
        (num_samples,) float32.
    """
    # Cells hold whole numbers of samples at both rates, so that times stay exact.
    common = gcd(from_rate, to_rate)
    periods = max(common // CELLS_PER_SECOND, 1)
    from_cell, to_cell = (periods * rate // common for rate in (from_rate, to_rate))
    output = np.zeros(num_samples, np.float32)
    for first, end in sounding_spans(stream, from_cell):
        piece = stream[first * from_cell : end * from_cell]
        heard = soxr.resample(piece, from_rate, to_rate)
        start = first * to_cell
        heard = heard[: max(num_samples - start, 0)]
        output[start : start + len(heard)] = heard
    return output
