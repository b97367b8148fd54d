"""Pictures that say nothing alone: each stands beside a word."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "lake": "M3 9c3-3 6 3 9 0s6 3 9 0M3 14c3-3 6 3 9 0s6 3 9 0M3 19c3-3 6 3 9 0s6 3 9 0M12 3v2",
    "bucket": "M4 7h16l-2 13H6zM4 7c0-2 4-3 8-3s8 1 8 3",
    "webhook": "M4 12h10M10 7l5 5-5 5M19 5v14",
    "key": "M14 10a4 4 0 1 0-3 3.9L13 16h2v2h2v2h3v-3l-6.1-6.1M9 9h.01",
    "activity": "M4 6h16M4 12h16M4 18h10",
    "system": "M4 5h16v6H4zM4 13h16v6H4zM7 8h.01M7 16h.01",
    "half": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
    "moon": "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
    "leave": "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "cross": "M6 6l12 12M18 6L6 18",
    "folder": "M3 6h6l2 2h10v11H3z",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
    "folder-up": "M3 6h6l2 2h10v11H3zM12 16v-5M9.500 13l2.500-2.500 2.500 2.500",
    "upload": "M12 16V5M7 9l5-5 5 5M4 20h16",
    "download": "M12 4v11M7 11l5 5 5-5M4 20h16",
    "bin": "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
    "link": "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
    "plus": "M12 5v14M5 12h14",
    "gear": "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 2v4M12 18v4M2 12h4M18 12h4M5 5l3 3M16 16l3 3M5 19l3-3M16 8l3-3",
    "again": "M4 12a8 8 0 1 1 2.5 5.800M4 19v-5h5",
    "pause": "M8 5v14M16 5v14",
    "play": "M7 5l12 7-12 7z",
}


def icon(name: str) -> Markup:
    """The picture; raises KeyError for one that is not drawn."""
    return Markup('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>').format(_PATHS[name])
