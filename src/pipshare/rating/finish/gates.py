"""A programme's gate: a month in which too few of a partner's clients qualified pays nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from pipshare.period import Millis as Longs


def passes(registered: Longs, qualified: Longs, conversion: Fraction) -> npt.NDArray[np.bool_]:
    """Tell whether qualified / registered clients of a partner and month reach the conversion.

    Exactly the conversion is enough. Where nobody registered there is no conversion to be too low.
    """
    enough = qualified * conversion.denominator >= registered * conversion.numerator
    return np.asarray((registered <= 0) | enough)
