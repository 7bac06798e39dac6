"""Everything that can be wrong with a bundle, as one tree.

    ConvenantError
    ├── DocumentError              one file is wrong; names file, line, clause, field and rule
    │   ├── YamlError              not strict YAML 1.2: duplicate key, anchor, tag, float, encoding
    │   ├── SchemaError            not of its published JSON Schema: unknown key, missing key, wrong word
    │   └── ClauseError            a clause that says more than its grounds, purpose or document allow
    ├── BundleError                the files together are wrong
    │   ├── EmptyBundleError       nothing to decide with: no document, no purpose, no line
    │   ├── ConflictError          two files claim one id, or one purpose in one region
    │   ├── MissingRegionError     a region says nothing about a purpose it must decide on
    │   ├── ExpiredBundleError     nothing in it holds any more on the day it should decide
    │   └── InsecureBundleError    a test document outside ``test/`` or without the insecure switch
    ├── FactsError                 the facts of a question, read from JSON, are not facts
    │   └── CalendarError          a day lies in a year of which the public holidays are not known
    ├── ReleaseError               a signed bundle is not whole, not of its schema, or compiled by another version
    │   ├── SignatureError         a signature does not hold, or too few people signed
    │   ├── UnsignableError        the bundle may not be signed: something in it is open, dead or only for tests
    │   └── KeyFileError           a key or a list of signers is not one
    ├── RecordError                a decision record is not one, or of a bundle that is not here
    ├── TableError                 a decision table beside the documents is not one
    └── EngineError                the compiled set may not be decided with
        ├── LineError              wrong arity, unknown word, effect, level or date in a policy line
        ├── ModelError             the Casbin model is not the constant one
        └── WordError              a request used a word outside the closed vocabulary

No message contains a value from the input: it names the field and the rule.
"""


class ConvenantError(Exception):
    """The bundle cannot be used; nothing of it was loaded."""


class DocumentError(ConvenantError):
    """One document is wrong.

    Attributes:
        file: path relative to the bundle directory.
        line: line in that file, counted from 1; 0 when no line can be named.
        field: dotted path of the field, empty for the whole file.
        rule: what must hold there.
        clause: id of the clause it is in, or None.
    """

    def __init__(self, *, file: str, line: int, field: str, rule: str, clause: str | None = None) -> None:
        """Keep the facts and render them as one line."""
        self.file, self.line, self.field, self.rule, self.clause = file, line, field, rule, clause
        where = field or "document"
        super().__init__(f"{file}:{line}: {where if clause is None else f'{where} (afspraak {clause})'}: {rule}")


class YamlError(DocumentError):
    """The file is not the strict subset of YAML 1.2 that documents use."""


class SchemaError(DocumentError):
    """The file does not follow its published JSON Schema."""


class ClauseError(DocumentError):
    """A clause says more than its ground, its purpose or its document allows."""


class BundleError(ConvenantError):
    """The documents are each well-formed, but not usable together."""


class EmptyBundleError(BundleError):
    """There is nothing to decide with, so the bundle refuses to start."""


class ConflictError(BundleError):
    """Two documents claim the same id, or the same purpose in the same region."""


class MissingRegionError(BundleError):
    """A region says nothing about a purpose on which every region must say whether it has an agreement."""


class ExpiredBundleError(BundleError):
    """The statutory bundle, or every agreement in it, has ended."""


class InsecureBundleError(BundleError):
    """A test document was found where only real documents may be."""


class FactsError(ConvenantError):
    """Facts read from JSON miss a key, have one too many, or have another type."""


class CalendarError(FactsError):
    """A term runs through a year of which the public holidays are not known, so nobody knows when it ends."""

    def __init__(self) -> None:
        """Say so, without the day."""
        super().__init__("day: its year must be one of which the public holidays are known")


class ReleaseError(ConvenantError):
    """A bundle file is not whole, not of its schema, or does not compile to what it holds."""


class SignatureError(ReleaseError):
    """A signature does not hold, or too few people signed."""


class UnsignableError(ReleaseError):
    """The bundle may not be signed: something in it is untranslated, dead or only for tests."""


class KeyFileError(ReleaseError):
    """A key file or a list of signers is not one."""


class RecordError(ConvenantError):
    """A decision record is not one, or was made with a bundle that is not here."""


class TableError(ConvenantError):
    """A decision table beside the documents is not one."""


class EngineError(ConvenantError):
    """The compiled lines, the model or the request may not be decided with."""


class LineError(EngineError):
    """A policy line has the wrong arity or a cell outside its vocabulary."""


class ModelError(EngineError):
    """The Casbin model has another effect, an unknown name or a literal."""


class WordError(EngineError):
    """A request cell lies outside the closed vocabulary.

    Attributes:
        columns: the names of the offending columns, never their values.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        """Name the columns only."""
        self.columns = columns
        super().__init__(f"outside the vocabulary: {', '.join(columns)}")


class InsecureTestBundleWarning(UserWarning):
    """Test documents were loaded: their grounds are not law."""
