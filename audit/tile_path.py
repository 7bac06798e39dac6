"""Where a tile stands in a published log (c2sp.org/tlog-tiles): `tile/<level>/<index>[.p/<width>]`."""

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_LEVELS = 8  # 2**63 leaves need no more
ENTRIES = "entries"


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile, or of an entry bundle for level `entries`; a width below 256 names a partial one.

    An index is written in groups of three digits, all but the last with an `x`: 1234067 is `x001/x234/067`.
    """
    groups = [f"{index % 1000:03}"]
    while index >= 1000:  # noqa: PLR2004 - three decimal digits a group
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    path = f"tile/{level}/{'/'.join(groups)}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"
