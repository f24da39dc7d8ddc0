"""The type checker that shapes are held against while testing: beartype, where int passes for float (PEP 484)."""

from beartype import BeartypeConf, beartype

tower = beartype(conf=BeartypeConf(is_pep484_tower=True))
