"""How pandas' objects cross. Runs inside; imports pandas, so it is imported only where that is."""


def writers():
    """Give how each exact class of pandas' is written; see `course_plain.WRITERS`."""
    return {}


KINDS = {}
