"""What can be wrong with something that was sent.

ProtocolError
|-- MalformedError              a field breaks a rule; names both, never the value
|   `-- MalformedJsonError      the text is no acceptable JSON
|-- SignatureError              a signed document does not verify
|-- RequestTokenError           a request was not validly signed for us; has a code
`-- TicketError                 a ticket does not cover this request; has a code
"""


class ProtocolError(Exception):
    """Root of every error of the published language."""


class MalformedError(ProtocolError):
    """A field breaks a rule of its format."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class MalformedJsonError(MalformedError):
    """The text is not acceptable JSON: syntax, duplicate keys, non-finite numbers, depth."""


class SignatureError(ProtocolError):
    """A signed document has too few good signatures of those who must sign it."""


class RequestTokenError(ProtocolError):
    """A request token was refused; `code` is the id of the problem to answer with."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TicketError(ProtocolError):
    """A ticket does not cover the request; `code` is the id of the problem to answer with."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
