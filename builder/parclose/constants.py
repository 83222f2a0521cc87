# SPDX-License-Identifier: Apache-2.0
"""Numbers of the contract, read from the `#define` lines of `abi/*.h`, so that Python repeats none of them."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from parclose import paths
from parclose.errors import ParcloseError

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_SUFFIX = re.compile(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b")
_OCTAL = re.compile(r"\b0\d")

_BINARY: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
}


@cache
def constants() -> Mapping[str, int]:
    """Every macro of the headers in `abi/` that is an integer expression, by name.

    Raises `ParcloseError` when the headers are not there.
    """
    headers = sorted(paths.data("abi").glob("*.h"))
    if not headers:
        raise ParcloseError("the headers in abi/ are missing from this installation")
    texts = [header.read_text(encoding="utf-8") for header in headers]
    return MappingProxyType(parse("\n".join(texts)))


def parse(text: str) -> dict[str, int]:
    """The macros of the C text `text` that are integer expressions of numbers and of each other."""
    defined = dict(_DEFINE.findall(_COMMENT.sub("", text)))
    values: dict[str, int] = {}
    pending = {name: _as_python(value) for name, value in defined.items()}
    while pending:
        known = {name: value for name, text in pending.items() if (value := _evaluate(text, values)) is not None}
        if not known:
            break
        values.update(known)
        pending = {name: text for name, text in pending.items() if name not in known}
    return values


def _as_python(value: str) -> str:
    return _SUFFIX.sub(r"\1", value).replace("/", "//")


def _evaluate(text: str, names: Mapping[str, int]) -> int | None:
    """The value of `text`, or None where it is no integer expression or needs a name that is not known yet."""
    if _OCTAL.search(text):
        return None
    try:
        return _value(ast.parse(text, mode="eval").body, names)
    except (SyntaxError, KeyError, TypeError, ZeroDivisionError):
        return None


def _value(node: ast.expr, names: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=operation, right=right):
            return _BINARY[type(operation)](_value(left, names), _value(right, names))
    raise TypeError(ast.dump(node))
