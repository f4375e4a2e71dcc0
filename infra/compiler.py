"""Compiles a part of a tree in place: `compiler.py TREE OWN own|rest`, by the Python it is for.

The gateway's own package, OWN, keeps its source beside the bytecode, so that tracebacks show its
lines. Of the rest only bytecode ships, which loads without a look for its source, and without
docstrings, which nobody reads there. Modules of the standard library only: any Python runs this.
"""

import ast
import importlib.util
import marshal
import sys
import warnings
from pathlib import Path

# Where Lambda unpacks a package; a place of the building machine would end up in the bytes.
_TASK_ROOT = "/var/task"

# A hash of the source that is not compared with it (PEP 552): no clock in the bytes, no file
# to look at when a module is loaded.
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def main(tree: Path, own: str, part: str) -> None:
    warnings.simplefilter("ignore")
    # One process in one order: what was compiled before must not differ between two builds.
    for source in sorted(tree.rglob("*.py")):
        name = source.relative_to(tree)
        if (name.parts[0] == own) is not (part == "own"):
            continue
        if part == "own":
            cached = Path(importlib.util.cache_from_source(str(source), optimization=""))
            cached.parent.mkdir(exist_ok=True)
            cached.write_bytes(compiled(source, name, documented=True))
        else:
            source.with_suffix(".pyc").write_bytes(compiled(source, name, documented=False))
            source.unlink()


def compiled(source: Path, name: Path, *, documented: bool) -> bytes:
    text = source.read_bytes()
    module = ast.parse(text, name.as_posix())
    code = compile(
        module if documented else undocumented(module),
        f"{_TASK_ROOT}/{name.as_posix()}",
        "exec",
        dont_inherit=True,
        optimize=0,
    )
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(text)
    return header + marshal.dumps(code)


def undocumented(module: ast.Module) -> ast.Module:
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(ast.Constant(str())) as only]:
                    node.body = [ast.copy_location(ast.Pass(), only)]
                case [ast.Expr(ast.Constant(str())), *rest]:
                    node.body = rest
    return module


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
