"""``penchant map``: users and items in one picture."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from penchant.cli._options import Json, Model, Quiet, load_model
from penchant.cli._output import check_out, console, say, show_frame
from penchant.errors import ConfigError
from penchant.storage import check_replaceable, read_manifest, version_of, write_atomic

if TYPE_CHECKING:
    from penchant.maps import InterestMap

__all__ = ["map"]

MISSING = "--html needs a package that is not installed: pip install penchant[serve]"


def map(
    model: Model,
    html: Annotated[Path | None, typer.Option(help="Write the map as one HTML file that needs no server.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the map as a directory, to be read again.")] = None,
    method: Annotated[str, typer.Option(help="How it is laid out: tsne, pca or umap.")] = "tsne",
    most: Annotated[int, typer.Option(min=1, help="Of more users and items so many are drawn at random.")] = 100_000,
    rng: Annotated[int | None, typer.Option(help="The seed; without it the model's own.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads; with several the picture may differ a little.")] = 1,
    lang: Annotated[str, typer.Option(help="Language of the HTML file: en or zh.")] = "en",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Users and items in one picture, in clusters named by their features, with how far the picture can be trusted.

    Example: `penchant map articles.penchant --html map.html`
    """
    check_out(html, (".html",), option="--html")
    if save is not None:
        check_replaceable(save, "penchant-map")
    page = None if html is None else _page_of(lang)
    version = version_of(read_manifest(model))
    drawn = load_model(model).map(method=method, most=most, rng=rng, threads=threads, progress=not quiet)
    found = replace(drawn, model=version)
    if save is not None:
        found.save(save)
        say(f"the map is in {save}")
    if html is not None and page is not None:
        write_atomic(html, page(found.to_dict(), lang=lang).encode())
        say(f"the map is written to {html}")
    if as_json:
        print(found.to_json())
    elif html is None and save is None:
        _show(found)


def _page_of(lang: str) -> Callable[..., str]:
    """What makes the page, found before the work and not after it.

    Raises:
        ConfigError: Jinja2 is not installed, or no such language.
    """
    try:
        from penchant.pages import LANGUAGES
        from penchant.pages.map_file import map_page
    except ImportError as error:
        raise ConfigError(MISSING) from error
    if lang not in LANGUAGES:
        raise ConfigError(f"--lang {lang}: {' or '.join(LANGUAGES)} expected")
    return map_page


def _show(found: "InterestMap") -> None:
    """The clusters, and what the picture keeps of the space."""
    rows = [(one.name, one.size, one.x, one.y) for one in found.clusters]
    frame = pl.DataFrame(rows, schema=["cluster", "size", "x", "y"], orient="row")
    show_frame(frame, title=f"A map of {len(found):,} users and items", out=None, as_json=False)
    for line in found.sentences():
        console().print(line, markup=False)
