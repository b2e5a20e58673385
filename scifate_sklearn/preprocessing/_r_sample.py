"""Exact reproduction of R's ``set.seed(seed); sample(x)``.

Both R and NumPy use the Mersenne Twister. They differ in how the seed initializes the state, how
words become a random index, and how `sample` shuffles (R 4.2: src/main/RNG.c, src/main/random.c).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SAMPLE_KINDS = ("Rejection", "Rounding")
LARGEST_SEED = 2**31 - 1
_LARGEST_BLOCK = 2**20


def r_sample(labels: NDArray[np.int64], seed: int, sample_kind: str) -> NDArray[np.int64]:
    """Shuffle labels as R's ``RNGkind(sample.kind=); set.seed(seed); sample(labels)``.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Values to shuffle; n < 2³¹.
    seed : int
        From ``-LARGEST_SEED`` to ``LARGEST_SEED``.
    sample_kind : {"Rejection", "Rounding"}
        Method that draws a random index.

    Returns
    -------
    ndarray of shape (n,)
        The labels in R's order.
    """
    draw = _rejection_indices if sample_kind == "Rejection" else _rounding_indices
    return _take_without_replacement(labels, draw(labels.size, _Words(seed)))


class _Words:
    """Stream of 32-bit words of R's Mersenne Twister after ``set.seed(seed)``.

    `peek` returns words without consuming them. Words are drawn in blocks, which is much faster,
    although the number of words that a rejection sampler consumes is not known in advance.
    """

    def __init__(self, seed: int) -> None:
        self._generator = _seeded_twister(seed)
        self._ahead = np.empty(0, dtype=np.uint64)

    def peek(self, count: int) -> NDArray[np.uint64]:
        missing = count - self._ahead.size
        if missing > 0:
            self._ahead = np.concatenate([self._ahead, self._generator.random_raw(missing)])
        return self._ahead[:count]

    def skip(self, count: int) -> None:
        self._ahead = self._ahead[count:]


def _seeded_twister(seed: int) -> np.random.MT19937:
    """Initialize the state as R's `RNG_Init` does.

    R discards 50 steps of a congruential generator, then takes one step for each word. It stores
    625 words, the first of which is the position and is set to 624, the end of the block.
    """
    word = seed % 2**32
    state = np.empty(625, dtype=np.uint32)
    for step in range(-50, 625):
        word = (69069 * word + 1) % 2**32
        if step >= 0:
            state[step] = word
    twister = np.random.MT19937()
    twister.state = {"bit_generator": "MT19937", "state": {"key": state[1:], "pos": 624}}
    return twister


def _rounding_indices(n: int, words: _Words) -> list[int]:
    """Draw one index below n, one below n - 1, ..., one below 1, as ``floor(size * u)``.

    R replaces u = 0 by 2⁻³³ (`fixup`), which does not change ``floor(size * u)``.
    """
    uniforms = words.peek(n) * 2.0**-32
    indices: list[int] = np.floor(np.arange(n, 0, -1) * uniforms).astype(np.int64).tolist()
    return indices


def _rejection_indices(n: int, words: _Words) -> list[int]:
    """Draw one index below n, one below n - 1, ..., one below 1, by rejection sampling.

    For each size, R draws ⌈log₂ size⌉ random bits until they form a number below the size. All
    sizes between two powers of two need the same number of bits, so one block of candidates serves
    them all.
    """
    indices: list[int] = []
    size = n
    while size > 0:
        bits = (size - 1).bit_length()
        smaller = (1 << bits) >> 1
        # R loops `for (n = 0; n <= bits; n += 16)`: 16 bits take two words, not one.
        words_each = bits // 16 + 1
        block = min(2 * (size - smaller), _LARGEST_BLOCK)
        used = 0
        for candidate in _random_bits(words.peek(block * words_each), words_each, bits):
            used += 1
            if candidate < size:
                indices.append(candidate)
                size -= 1
                if size == smaller:
                    break
        words.skip(used * words_each)
    return indices


def _random_bits(words: NDArray[np.uint64], words_each: int, bits: int) -> list[int]:
    """Join the upper 16 bits of every `words_each` words and keep the lowest `bits`."""
    halves = (words >> np.uint64(16)).reshape(-1, words_each)
    joined = halves[:, 0]
    for column in halves.T[1:]:
        joined = (joined << np.uint64(16)) | column
    numbers: list[int] = (joined & np.uint64((1 << bits) - 1)).tolist()
    return numbers


def _take_without_replacement(
    labels: NDArray[np.int64], indices: Iterable[int]
) -> NDArray[np.int64]:
    """Take ``labels[index]`` for each index, replacing it by the last remaining label."""
    pool = labels.tolist()
    taken = []
    for index in indices:
        taken.append(pool[index])
        pool[index] = pool[-1]
        pool.pop()
    return np.array(taken, dtype=np.int64)
