"""An incident rendered for a reader: page, PDF, JSON, GeoJSON, KML and ClaimReview.

The same inputs give the same bytes: nothing here reads the clock, and everything is in the order
of the incident file. The PDF also depends on the fonts of the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adiz.errors import AdizError
from adiz.out.dossier.view import Material, View

__all__ = ["Material", "write_dossier"]


def write_dossier(
    material: Material, folder: Path, *, pdf: bool = True, warn: Callable[[str], None] = print
) -> list[Path]:
    """Write a dossier into a folder, which is made where it is not there.

    Args:
        material: what it is made of.
        pdf: write ``dossier.pdf`` too.
        warn: told why there is no PDF, where one was wanted and a library is missing.

    Returns:
        The files written: ``index.html``, ``dossier.json``, ``dossier.geojson``, ``dossier.kml``,
        ``claims.jsonld`` and ``dossier.pdf``.

    Raises:
        AdizError: the folder cannot be written to.
    """
    from adiz.out.dossier import exports
    from adiz.out.dossier.page import render_page, render_pdf

    view = View(material)
    page = render_page(view)
    contents = {
        "index.html": page.encode(),
        "dossier.json": exports.dossier_json(material).encode(),
        "dossier.geojson": exports.geojson(view).encode(),
        "dossier.kml": exports.kml(view).encode(),
        "claims.jsonld": exports.claim_reviews(view).encode(),
    }
    if pdf:
        try:
            contents["dossier.pdf"] = render_pdf(page)
        except AdizError as error:
            warn(str(error))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise AdizError(f"{folder} cannot be written to: {error.strerror}") from None
    return [folder / name for name in contents]
