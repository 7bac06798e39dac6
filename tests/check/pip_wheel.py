"""The pinned pip wheel, fetched with the standard library and checked by hash.

A fresh Debian has Python but neither `ensurepip` nor pip, and refuses pip outside a virtual environment. So the first
pip comes from the package index itself. The index, its certificates and its proxy are pip's own settings (environment
and configuration files); without any, the public default of pip holds. What arrives is used only when its SHA-256
stands in `requirements-bootstrap.txt`, so no index has to be trusted.
"""

import configparser
import hashlib
import html.parser
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PUBLIC_INDEX = "https://pypi.org/simple"  # pip's documented default
TIMEOUT_SECONDS = 60
PIN = re.compile(r"^pip==(?P<version>[0-9.]+)(?P<rest>(?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)


class PipWheelError(Exception):
    """The pinned pip wheel could not be fetched from any index of pip's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedPip:
    """The version of pip and the SHA-256 values (lower hex) its files may have."""

    version: str
    sha256: frozenset[str]

    @property
    def filename(self) -> str:
        """The wheel's name, the same on every index."""
        return f"pip-{self.version}-py3-none-any.whl"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """Where pip itself would look: index addresses in order, a certificate file and a proxy, if set."""

    indexes: tuple[str, ...]
    certificates: str | None
    proxy: str | None


def pinned_pip(requirements: str) -> PinnedPip:
    """Return the pip pin of a hashed requirement file's text."""
    match = PIN.search(requirements)
    if match is None:
        msg = "requirements-bootstrap.txt pins no pip"
        raise PipWheelError(msg)
    hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", match["rest"])
    return PinnedPip(version=match["version"], sha256=frozenset(hashes))


def index_settings(environment: Mapping[str, str], files: list[Path]) -> IndexSettings:
    """Return pip's own settings: the environment wins over the files, a later file over an earlier one."""
    config = configparser.RawConfigParser()
    config.read(files)

    def setting(name: str) -> str | None:
        in_files = [config.get(section, name, fallback=None) for section in ("install", "global")]
        candidates = [environment.get("PIP_" + name.replace("-", "_").upper()), *in_files]
        return next((value for value in candidates if value), None)

    first = setting("index-url") or PUBLIC_INDEX
    extra = (setting("extra-index-url") or "").split()
    return IndexSettings(indexes=(first, *extra), certificates=setting("cert"), proxy=setting("proxy"))


def pip_config_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the files pip reads its settings from, the strongest last (pip documentation, "Configuration")."""
    home = Path(environment.get("HOME", "/nonexistent"))
    user = Path(environment.get("XDG_CONFIG_HOME", home / ".config"))
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", user / "pip" / "pip.conf"]
    explicit = environment.get("PIP_CONFIG_FILE")
    if explicit == os.devnull:
        return []
    return [*files, Path(explicit)] if explicit else files


def fetch(pin: PinnedPip, settings: IndexSettings) -> bytes:
    """Return the wheel of the first index that serves it with a pinned hash; raise PipWheelError when none does."""
    opener = _opener(settings)
    failures = []
    for index in settings.indexes:
        try:
            for address in _addresses(opener, index.rstrip("/") + "/pip/", pin.filename):
                content = _get(opener, address)
                if hashlib.sha256(content).hexdigest() in pin.sha256:
                    return content
                failures.append("a wheel with another hash")
        except (OSError, urllib.error.URLError, ValueError) as error:
            failures.append(type(error).__name__)
    msg = f"no index of pip's settings gave {pin.filename} ({', '.join(failures) or 'not listed'})"
    raise PipWheelError(msg)


def _opener(settings: IndexSettings) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=settings.certificates)
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    if settings.proxy:
        handlers.append(urllib.request.ProxyHandler({"http": settings.proxy, "https": settings.proxy}))
    return urllib.request.build_opener(*handlers)


def _get(opener: urllib.request.OpenerDirector, address: str) -> bytes:
    request = urllib.request.Request(address, headers={"Accept": "text/html"})  # noqa: S310 - pip's own setting
    with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
        content: bytes = response.read()
        return content


def _addresses(opener: urllib.request.OpenerDirector, page: str, filename: str) -> Iterator[str]:
    """Yield the addresses a simple index page (PEP 503) lists for one file."""
    listing = _Links()
    listing.feed(_get(opener, page).decode("utf-8"))
    for link in listing.targets:
        address = urllib.parse.urljoin(page, urllib.parse.urldefrag(link).url)
        if urllib.parse.unquote(urllib.parse.urlparse(address).path).endswith("/" + filename):
            yield address


class _Links(html.parser.HTMLParser):
    """The targets of all anchors of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.targets.extend(value for name, value in attrs if name == "href" and value)
