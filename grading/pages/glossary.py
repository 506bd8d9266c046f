"""Words of a lesson that a reason uses: the sentence of the released notebook that says what they mean.

A lesson defines a word where it prints it bold and goes on with a colon, "is", "are" or a bracket.
"""

import re
from collections.abc import Iterable

_DEFINED = re.compile(r"\*\*(?P<word>[^*\n]{3,40})\*\*(?=:| is\b| are\b| \()")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(`*$])")
_MARKS = re.compile(r"\*\*|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|\$")
MOST = 2


def definitions(markdown: Iterable[str]) -> dict[str, str]:
    """Return the sentences of a lesson's texts that say what a word means, by the word in lower case."""
    found: dict[str, str] = {}
    for text in markdown:
        for paragraph in re.split(r"\n\s*\n|^#.*$", text, flags=re.MULTILINE):
            for sentence in _SENTENCE.split(" ".join(paragraph.split())):
                for match in _DEFINED.finditer(sentence):
                    found.setdefault(match["word"].casefold(), _MARKS.sub("", sentence).strip())
    return found


def words_used(reasons: Iterable[str], known: dict[str, str]) -> list[tuple[str, str]]:
    """Return the defined words that reasons use, with what they mean: the first few."""
    said = " ".join(reasons).casefold()
    return [(word, known[word]) for word in known if re.search(rf"\b{re.escape(word)}s?\b", said)][:MOST]
