"""The type checker that shapes are held against while testing: beartype, with int accepted for float as PEP 484 says."""

from beartype import BeartypeConf, beartype

tower = beartype(conf=BeartypeConf(is_pep484_tower=True))
