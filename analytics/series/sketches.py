"""How many distinct sources there were, without keeping which. Pure.

HyperLogLog: the register of a hash's first bits keeps the longest run of zeros that its other bits
began with. Sketches of shards and batches merge by the maximum, in any order.

Source: Flajolet, Fusy, Gandouet, Meunier, HyperLogLog: the analysis of a near-optimal cardinality
estimation algorithm, AofA 2007 (doi 10.46298/dmtcs.3545), with linear counting for small numbers.
"""

import numpy as np
from numpy.typing import NDArray

BITS = 12
REGISTERS = 1 << BITS
"""4,096 registers: a standard error of 1.6 percent in 4 KiB."""
_ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)


def empty() -> NDArray[np.uint8]:
    """Return the sketch of no source."""
    return np.zeros(REGISTERS, dtype=np.uint8)


def sketch(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return the sketch of sources given by keyed 64-bit hashes, shape ``(REGISTERS,)``."""
    registers = empty()
    if len(hashes):
        index = (hashes >> np.uint64(64 - BITS)).astype(np.int64)
        rest = (hashes << np.uint64(BITS)) | np.uint64(1 << (BITS - 1))
        # the float's exponent is the position of the highest set bit
        rank = 64 - np.frexp(rest.astype(np.float64))[1] + 1
        np.maximum.at(registers, index, rank.astype(np.uint8))
    return registers


def merge(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the sketch of the sources of either."""
    return np.maximum(a, b)


def estimate(registers: NDArray[np.uint8]) -> int:
    """Estimate how many distinct sources a sketch has seen."""
    zeros = int(np.count_nonzero(registers == 0))
    if zeros:
        linear = REGISTERS * np.log(REGISTERS / zeros)
        if linear <= 2.5 * REGISTERS:
            return round(float(linear))
    return round(float(_ALPHA * REGISTERS**2 / np.sum(np.exp2(-registers.astype(np.float64)))))
