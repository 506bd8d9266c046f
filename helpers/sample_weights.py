LAYOUT: dict[str, tuple[str, tuple[int, ...]]] = {}
PACKED = ""
