"""What of the dependencies is left out of the package, with the reason for each.

Only what takes real space is listed. The tests check every list against the locked versions: an
entry that matches nothing any more is stale, and a new large file must be cut or accepted.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

CUTS = {
    "bin/*": "console scripts: a function has no console",
    "*.pyi": "type stubs",
    "*/py.typed": "for type checkers",
    "*.dist-info/RECORD": "pip's list of files, to uninstall them",
    "*.dist-info/INSTALLER": "pip's own note",
    "*.dist-info/REQUESTED": "pip's own note",
    "*.dist-info/WHEEL": "how the wheel was made",
    "*.dist-info/top_level.txt": "a note of setuptools",
    "*.dist-info/zip-safe": "a note of setuptools",
    "*.dist-info/entry_points.txt": "console scripts and plugins: nothing looks for any",
    "*/tests/*": "tests",
    "botocore/cacert.pem": "botocore takes certifi's, which requests needs anyway",
    "botocore/crt/auth.py": "needs awscrt, which is not among the dependencies",
    "botocore/stub.py": "for tests",
    "charset_normalizer/cli/*": "a command",
    "charset_normalizer/*.so": "speeds up guessing an encoding, which nothing here asks for",
    "click/_termui_impl.py": "editors, pagers and progress bars",
    "click/_winconsole.py": "Windows",
    "click/shell_completion.py": "of commands typed into a shell",
    "click/testing.py": "for tests",
    "dateutil/rrule.py": "calendar recurrences",
    "dateutil/tz/win.py": "Windows",
    "dateutil/zoneinfo/*": "a copy of the time zones: AWS's timestamps carry their offset",
    "flask/testing.py": "for tests",
    "idna/uts46data.py": "what browsers make of typed names; urllib3 encodes without it",
    "idna/cli.py": "a command",
    "idna/__main__.py": "a command",
    "jinja2/ext.py": "extensions of templates: there are no templates",
    "jinja2/sandbox.py": "templates of strangers: there are no templates",
    "markupsafe/*.so": "speeds up escaping in templates: there are no templates",
    "urllib3/contrib/emscripten/*": "for browsers",
    "urllib3/contrib/pyopenssl.py": "for Pythons without SNI",
    "urllib3/http2/connection.py": "needs h2, which is not among the dependencies",
    "werkzeug/_reloader.py": "of the development server",
    "werkzeug/debug/*": "the debugger in the browser",
    "werkzeug/middleware/*": "none is used",
    "werkzeug/testapp.py": "for tests",
}

LARGE_BYTES = 60_000

LARGE = {
    "botocore/credentials.py": "finds the function's credentials",
    "botocore/handlers.py": "what botocore does around every call",
    "botocore/parsers.py": "reads answers",
    "botocore/utils.py": "imported by all of botocore",
    "certifi/cacert.pem": "the certificate authorities",
    "charset_normalizer/constant.py": "requests imports it",
    "click/core.py": "Flask imports it",
    "dateutil/tz/tz.py": "botocore reads timestamps with it",
    "flask/app.py": "the application",
    "jinja2/compiler.py": "Flask imports it",
    "jinja2/environment.py": "Flask imports it",
    "msgspec/_core.*.so": "decodes the settings",
}


def trim(tree: Path) -> None:
    """Leave out what is listed, and the text after the headers of the packages' metadata."""
    for path in _files(tree):
        if is_cut(path.relative_to(tree).as_posix()):
            path.unlink()
    for metadata in tree.glob("*.dist-info/METADATA"):
        head, _, _ = metadata.read_bytes().partition(b"\n\n")
        metadata.write_bytes(head + b"\n\n")


def is_cut(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in CUTS)


def is_expected(name: str, size: int) -> bool:
    """Whether a file that ships is small, or listed as large."""
    return size < LARGE_BYTES or any(fnmatchcase(name, pattern) for pattern in LARGE)


def _files(tree: Path) -> Iterator[Path]:
    return (path for path in sorted(tree.rglob("*")) if path.is_file())
