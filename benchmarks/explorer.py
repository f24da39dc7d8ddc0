"""The explorer: how good its map is, how fast it is drawn in a browser. Writes ``results/explorer.json``.

* map quality: see `_explorer_quality`.
* map 100k: 100,000 points in headless Chromium, see `_explorer_map`.
* accessibility: every page before axe-core, see `_explorer_access`; ``PENCHANT_AXE`` names its script (`make axe`).

    python benchmarks/explorer.py --merge
    python benchmarks/explorer.py --cases "map quality" --seeds 0 --results /tmp
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from _results import RESULTS, Row, write_cases

__all__ = ["CASES", "main"]

CASES = ("map quality", "map 100k", "accessibility")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the file."""
    options = _options(arguments)
    torch.set_num_threads(1)

    def measured(case: str) -> tuple[Sequence[Row], Sequence[str]]:
        if case == "map quality":
            from _explorer_quality import map_quality

            return map_quality(options.seeds)
        if case == "accessibility":
            from _explorer_access import accessibility

            return accessibility()
        from _explorer_map import map_100k

        return map_100k()

    write_cases(
        "explorer", options.cases, measured, threads=1, seeds=options.seeds, folder=options.results, merge=options.merge
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the models, one training each")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the result")
    parser.add_argument("--merge", action="store_true", help="keep the other cases of the result that is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
