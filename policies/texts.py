"""Dutch sentences by text id; a place in a sentence is filled from the documents' words, never from input."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.verdict import Text

_PLACE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All sentences of a bundle.

    Attributes:
        templates: text id to sentence with ``{places}``.
        words: place to (vocabulary word to Dutch phrase).
    """

    templates: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]

    def render(self, text_id: str, facts: Mapping[str, str]) -> Text:
        """The sentence with its places filled from ``facts``, which names a vocabulary word per place.

        Raises:
            KeyError: unknown text id, place or word.
        """
        template = self.templates[text_id]
        params = {place: facts[place] for place in places(template)}
        nl = _PLACE.sub(lambda match: self.words[match[1]][params[match[1]]], template)
        return Text(id=text_id, params=params, nl=nl)


def places(template: str) -> tuple[str, ...]:
    """The places of a sentence, sorted, each once."""
    return tuple(sorted(set(_PLACE.findall(template))))
