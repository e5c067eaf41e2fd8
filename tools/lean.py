"""Removes from a bundled program what it need not keep in RAM, beyond what `squeeze` and `reached` remove.

A name of `core` bound to a constant (a tuple of numbers, bytes, the size of a structure) costs 8 bytes of RAM and often
the value as well; a constant written where it is used lies in flash with the code. Keyword-only arguments with defaults
cost a function 48 bytes, because MicroPython keeps them in a dict; as ordinary arguments, still given by name, they
cost 16. Statements stay on their lines. Must import the standard library only, as `bundle`.
"""

import ast
import re
import struct
from collections.abc import Iterable, Iterator

from tools.squeeze import Edit, applied

# Functions that may compute a constant: those with the same result on a chip. No floats: theirs have 32 bits.
_FUNCTIONS = {"bytes": bytes, "len": len, "range": range, "tuple": tuple, "struct.calcsize": struct.calcsize}
_UNKNOWN = object()


def without_names(core: str, others: dict[str, str], core_name: str) -> tuple[str, dict[str, str]]:
    """Returns (core, others) with the constants of the core written in the places where they are used."""
    tree, prefix = ast.parse(core), f"{core_name}."
    nodes = {name: list(ast.walk(ast.parse(text))) for name, text in others.items()}
    nodes[core_name] = list(ast.walk(tree))
    values = dict(_constants(tree))
    for name, parts in nodes.items():
        for needed in _needed_by_name(parts, "" if name == core_name else prefix):
            values.pop(needed, None)
    gone = [Edit(statement, "") for statement in _bindings_of(tree, values)]
    left = _replaced(core, nodes[core_name], values, "", gone)
    return left, {name: _replaced(text, nodes[name], values, prefix, []) for name, text in others.items()}


def without_stars(text: str) -> str:
    """Turns keyword-only arguments, in functions where some have defaults, into ordinary ones."""
    edits = []
    for node in ast.walk(ast.parse(text)) if re.search(r"\*\s*,", text) else ():
        if not isinstance(node, ast.FunctionDef) or not any(node.args.kw_defaults):
            continue
        args = node.args
        named = list(zip(args.kwonlyargs, args.kw_defaults, strict=True))
        plain = [arg for arg, default in named if default is None]
        if args.vararg or args.kwarg:
            continue
        words: list[str] = [arg.arg for arg in [*args.posonlyargs, *args.args]]
        for place, default in enumerate(args.defaults, len(words) - len(args.defaults)):
            words[place] += "=" + ast.unparse(default)
        # After arguments with a default, a required one needs a default too; the tests of the sources check that every
        # caller gives it.
        words += [f"{arg.arg}=None" if args.defaults else arg.arg for arg in plain]
        words += [f"{arg.arg}={ast.unparse(default)}" for arg, default in named if default is not None]
        edits.append((node, ", ".join(words)))
    lines = text.split("\n")
    for node, head in sorted(edits, key=lambda edit: -edit[0].lineno):
        decorators = getattr(node.body[0], "decorator_list", [])
        first = node.lineno - 1
        body = min(part.lineno for part in [node.body[0], *decorators]) - 1
        if body > first:  # otherwise the whole function is on one line
            indent = lines[first][: node.col_offset]
            lines[first:body] = [f"{indent}def {node.name}({head}):"] + [""] * (body - first - 1)
    return "\n".join(lines)


def _constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Yields (name, value) of the constants that the top level binds once, in order."""
    known: dict[str, object] = {}
    bound: dict[str, int] = {}
    for node in ast.walk(tree):
        words: list[str] = node.names if isinstance(node, ast.Global) else []
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            words = [node.id]
        for word in words:
            bound[word] = bound.get(word, 0) + 1
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target, value = statement.targets[0], _evaluated(statement.value, known)
        names: list[ast.expr] = [target]
        values: list[object] = [value]
        if isinstance(target, ast.Tuple) and isinstance(value, tuple | range):
            names, values = list(target.elts), list(value)
        for name, one in zip(names, values, strict=True):
            if isinstance(name, ast.Name) and bound[name.id] == 1 and _is_constant(one):
                known[name.id] = one
    yield from known.items()


def _is_constant(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_is_constant(part) for part in value)
    return value is None or isinstance(value, int | str | bytes)


def _evaluated(node: ast.AST, known: dict[str, object]) -> object:
    """Returns the value of an expression, or _UNKNOWN."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id, _UNKNOWN)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _evaluated(node.operand, known)
        return -value if isinstance(value, int) else _UNKNOWN
    if isinstance(node, ast.Tuple):
        parts = tuple(_evaluated(part, known) for part in node.elts)
        return _UNKNOWN if any(part is _UNKNOWN for part in parts) else parts
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        left, right = _evaluated(node.left, known), _evaluated(node.right, known)
        if isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, int | tuple | bytes):
            return left + right  # type: ignore[operator]
        if isinstance(left, int) and isinstance(right, int):
            return left - right if isinstance(node.op, ast.Sub) else left * right
        return _UNKNOWN
    if isinstance(node, ast.Call) and not node.keywords and ast.unparse(node.func) in _FUNCTIONS:
        parts = tuple(_evaluated(part, known) for part in node.args)
        if any(part is _UNKNOWN for part in parts):
            return _UNKNOWN
        return _FUNCTIONS[ast.unparse(node.func)](*parts)  # type: ignore[operator]
    return _UNKNOWN


def _needed_by_name(nodes: Iterable[ast.AST], prefix: str) -> Iterator[str]:
    """Yields names that must stay: compared by `is`, used in an f-string, or with an attribute read from them
    (`NAME.x`)."""
    for node in nodes:
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            parts: list[ast.AST] = [node.left, *node.comparators]
        elif isinstance(node, ast.JoinedStr):
            parts = list(ast.walk(node))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            parts = [node.value]
        else:
            continue
        yield from (word[len(prefix) :] for part in parts if (word := _word(part)) and word.startswith(prefix))


def _word(node: ast.AST) -> str:
    """Returns `name` or `name.attribute`, "" for anything longer or else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _bindings_of(tree: ast.Module, values: dict[str, object]) -> Iterator[ast.stmt]:
    """Yields the statements that bind nothing but constants."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if all(isinstance(name, ast.Name) and name.id in values for name in names):
                yield statement


def _replaced(
    text: str, nodes: Iterable[ast.AST], values: dict[str, object], prefix: str, gone: list[Edit]
) -> str:
    """Writes the value in place of every use of a constant, except within the statements that are removed (`gone`)."""
    lines = {line for edit in gone for line in range(edit.node.lineno, edit.node.end_lineno + 1)}  # type: ignore[attr-defined]
    edits = list(gone)
    for node in nodes:
        word = _word(node)
        if word.startswith(prefix) and word[len(prefix) :] in values and isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
            value = values[word[len(prefix) :]]
            if node.lineno not in lines:  # type: ignore[attr-defined]
                edits.append(Edit(node, f"({value!r})" if isinstance(value, int) and value < 0 else repr(value)))
    return applied(text, edits)
