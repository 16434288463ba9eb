"""Products of 8-bit matrices, exact to the last bit: ONNX Runtime's, which is what uses the processor's 8-bit instructions."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.models.runtime import Session

#: Largest absolute value on the right side. Processors without VNNI add two products in 16 bits and clip the sum: 2 · 255 · 64 just fits.
LARGEST: Final = 64

#: A network of the one operator MatMulInteger, as `onnx.helper` serialises it (tested): to import onnx would take longer than many a search.
_NETWORK: Final = bytes.fromhex(
    "08083a680a180a01610a0162120179220d4d61744d756c496e7465676572120770726f647563745a150a016112100a0e0802120a0a0312016e0a03120164"
    "5a150a016212100a0e0803120a0a031201640a0312016d62150a017912100a0e0806120a0a0312016e0a0312016d42040a001011"
)


def integer_product(a: npt.NDArray[np.uint8], b: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
    """``a @ b`` in whole numbers, in the calling thread.

    Args:
        a: ``(n, d)``, C-contiguous; d at most 131,072.
        b: ``(d, m)``, no value beyond ±`LARGEST`.

    Returns:
        ``(n, m)``.

    >>> integer_product(np.array([[255, 1]], np.uint8), np.array([[2], [-3]], np.int8)).tolist()
    [[507]]
    """
    product: Any = _session().run({"a": a, "b": b})[0]
    return product  # type: ignore[no-any-return]


@cache
def _session() -> Session:
    return Session(_NETWORK, threads=1)
