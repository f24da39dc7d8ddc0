"""Bounds that are proved: of what a ball decodes to, and of decisions about items whose features are free."""

from penchant.portraits.bounds.certificates import Certificate, Witness, certify
from penchant.portraits.bounds.decoder import (
    DecodedBounds,
    Range,
    certified_range,
    decoded_bounds,
    found_range,
    interval_range,
)
from penchant.portraits.bounds.regions import OneOf, Region, SetOf, Within, anything

__all__ = [
    "Certificate",
    "DecodedBounds",
    "OneOf",
    "Range",
    "Region",
    "SetOf",
    "Within",
    "Witness",
    "anything",
    "certified_range",
    "certify",
    "decoded_bounds",
    "found_range",
    "interval_range",
]
