"""XML read safely: no DTD, no entities, no network, bounded depth and text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from adiz.errors import Fault, ZoneError

Element = Any
"""An lxml element; lxml has no types of its own."""


def parse_xml(data: bytes, file: str) -> Element:
    """The root element.

    Raises:
        ZoneError: with the line where the XML is broken; also for a document type declaration,
            through which entities could be made to grow without bound.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        message = str(getattr(error, "msg", None) or error)
        raise ZoneError(Fault(f"not well-formed XML: {message[:300]}", file, line)) from None
    if root.getroottree().docinfo.doctype:
        raise ZoneError(Fault("it has a DOCTYPE, which is refused", file, 1, remedy="remove it"))
    return root


def local(element: Element) -> str:
    """The name of an element without its namespace; "" of comments."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, *names: str) -> Iterator[Element]:
    """Child elements, of the given names only where there are any."""
    return (child for child in element if local(child) and (not names or local(child) in names))


def descendants(element: Element, *names: str) -> Iterator[Element]:
    """Elements of the given names within an element, in the order of the file."""
    return (found for found in element.iter() if local(found) in names)


def child(element: Element, *path: str) -> Element | None:
    """The first child of the first name, its first child of the second, …"""
    for name in path:
        element = next(children(element, name), None)
        if element is None:
            return None
    return element


def text_of(element: Element | None) -> str:
    """The text of an element without blanks around it; "" where there is none."""
    return (element.text or "").strip() if element is not None else ""


def attribute(element: Element, name: str) -> str:
    """An attribute by its name without namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value).strip()
    return ""


def at_line(element: Element, message: str, field: str, remedy: str | None = None) -> ZoneError:
    """A fault in the line of an element."""
    return ZoneError(Fault(message, line=element.sourceline, field=field, remedy=remedy))
