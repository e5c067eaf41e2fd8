"""Removes what a program cannot reach: definitions that no name refers to, and methods that no attribute refers to.

It compares names only, so a method stays if anything else of its name is used, or a string is that name (`getattr`).
Must import the standard library only, as `bundle`.
"""

import ast
from collections.abc import Collection


def reached(text: str, others: Collection[str]) -> str:
    """Returns a module without what neither it nor the `others` can reach; statements stay on their lines."""
    tree = ast.parse(text)
    definitions: dict[str, list[ast.stmt]] = {}
    roots: list[ast.AST] = []
    named = {word for other in others for word in _words(ast.parse(other), None)}
    for statement in tree.body:
        names = _names_defined(statement)
        for name in names:
            definitions.setdefault(name, []).append(statement)
        if not names:
            roots.append(statement)
    alive: set[int] = set()
    dormant: list[ast.FunctionDef] = []
    waiting = roots + [statement for word in named for statement in definitions.get(word, ())]
    while waiting:
        node = waiting.pop()
        if id(node) in alive:
            continue
        alive.add(id(node))
        for word in _words(node, dormant) - named:
            named.add(word)
            waiting += definitions.get(word, ())
        for method in [method for method in dormant if method.name in named]:
            dormant.remove(method)
            waiting.append(method)
    gone = [s for found in definitions.values() for s in found if id(s) not in alive] + list(dormant)
    lines = text.split("\n")
    for node in gone:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(one.lineno for one in decorators)]) - 1
        lines[first : node.end_lineno] = [""] * ((node.end_lineno or first) - first)
    return "\n".join(lines)


def _names_defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [part.id for target in statement.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return []


def _words(node: ast.AST, dormant: list[ast.FunctionDef] | None) -> set[str]:
    """Returns all names in a piece of code. Adds the methods of a class to `dormant`, except those that Python calls
    itself."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
            found.add(part.value)
        if isinstance(part, ast.ClassDef) and dormant is not None:
            later = [s for s in part.body if isinstance(s, ast.FunctionDef) and not s.name.startswith("__")]
            dormant += later
            waiting += [child for child in ast.iter_child_nodes(part) if child not in later]
        else:
            waiting += ast.iter_child_nodes(part)
    return found
