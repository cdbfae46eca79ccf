"""What options of any metric must be, whoever gives them."""

import math
from dataclasses import fields
from typing import Any


def check_not_negative(options: Any) -> None:
    """Refuse options that no time, speed or number can be.

    Args:
        options: a dataclass; its numbers are looked at, other fields (None, too) not.

    Raises:
        ValueError: a number is negative or not finite.
    """
    for field in fields(options):
        value = getattr(options, field.name)
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            raise ValueError(
                f"{field.name} is {value}; give a finite number that is not negative"
            )
