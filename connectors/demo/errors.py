"""Why a demonstration did not hold.

DemoError
|-- WorkFolderError     the folder is not one that the demonstration made, so it is not wiped
|-- ProcessError        a command or service of ours did not do what it says
`-- ClaimError          something the demonstration claims turned out not to hold
"""


class DemoError(Exception):
    """Root of every error of the demonstration."""


class WorkFolderError(DemoError):
    """The folder holds something else, and stays as it is."""


class ProcessError(DemoError):
    """A command failed or a service did not start; names it and where its output stands."""


class ClaimError(DemoError):
    """A claim does not hold; names the claim."""
