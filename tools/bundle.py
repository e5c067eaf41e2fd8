"""Merges many modules into one, for a frozen program: the chip then keeps one table of names in RAM, not one a module.

A module costs a table of names in RAM, with an entry for each name that it imports; a function or a class that is never
called costs as much as any other. In a whole program all imports are known. So the modules that a program loads at its
start anyway are merged into one, `core`, in the order in which they would have been imported; their definitions are
called `name__module` there, so that a traceback shows their module, and definitions that cannot be reached are left
out. The builtins that they use are bound in the same table (`BUILTINS`). Lines stay in order: `places` holds where in
`core` each module begins; to find the source of a line of a traceback:

    python -m tools.bundle KIND LINE

Not merged: modules that are loaded on demand or released after the start (`apart`), modules that are used as a value or
look up their own names, and those that begin the program. Must import the standard library only, as `squeeze`.
"""

import ast
import copy
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import NamedTuple, TypeGuard

from tools import firmware_modules, lean, squeeze
from tools.reached import reached
from tools.squeeze import ALONE_WHEN_FROZEN

CORE = "core"
# MicroPython searches the core's table for a builtin first, and only then its own. The table is filled to its last slot
# before it grows: with 518 names in 521 slots that search took a thousand steps of the VM, so each `len` took 0.1 ms on
# a chip. A name that is in the table is found at once, by MicroPython's cache of slots.
BUILTINS = (
    "len", "isinstance", "int", "bytes", "min", "max", "range", "list", "tuple", "dict", "str", "bytearray", "abs",
    "sorted", "divmod", "sum",
)  # fmt: skip
_PLAIN = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.Expr, ast.Pass)
_SCOPES = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Bundle(NamedTuple):
    """Holds the merged program. `modules`: {module: its source}; `places`: [(first line in core, module)] in order."""

    modules: dict[str, str]
    places: list[tuple[int, str]]

    def where(self, line: int) -> tuple[str, int]:
        """Returns (module, line in it) of a line of the core."""
        first, name = max((place for place in self.places if place[0] <= line), default=(1, CORE))
        return name, line - first + 1


@cache
def of_kind(kind: str) -> Bundle:
    """Returns the program of a kind of node, squeezed and bundled."""
    texts = squeeze.squeezed(firmware_modules.needed(kind), ALONE_WHEN_FROZEN)
    started, fitted = firmware_modules.started(kind), firmware_modules.fitted(kind)
    return bundle(texts, started, firmware_modules.let_go(), fitted)


class _Module:
    """Holds one source, and the names that its top level defines."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.tree = ast.parse(text)
        self.defined: set[str] = set()
        self.eager: list[str] = []  # names of modules that its top level imports, as written
        for statement in self.tree.body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                self.defined.add(statement.name)
            elif isinstance(statement, ast.Assign):
                self.defined |= {part.id for part in ast.walk(statement) if _is_stored(part)}

    def called(self, name: str) -> str:
        """Returns the name in the core of a definition of this module's top level."""
        return f"{name}__{self.name.replace('.', '_')}"


def bundle(
    sources: Mapping[str, str], start: Collection[str], apart: Collection[str] = (), soon: Collection[str] = ()
) -> Bundle:
    """Merges one whole program. `sources`: {module: source}; `start`: the modules that it begins with; `apart`: modules
    to keep apart; `soon`: modules that every start loads a moment later."""
    modules = {name: _Module(name, text) for name, text in sources.items()}
    for module in modules.values():
        module.eager = [name for statement in module.tree.body for name in _imported(statement, modules)]
    order: list[str] = []
    for name in (*start, *soon):
        _visit(name, modules, order)
    kept = _left_alone(modules) | set(apart) | set(start) | {name.rpartition(".")[0] for name in modules}
    values = {""}
    while values:
        inside = frozenset(order) - kept
        rewriters = {name: _Rewriter(module, modules, inside) for name, module in modules.items()}
        values = {value for rewriter in rewriters.values() for value in rewriter.run()}
        kept |= values
    merged = [name for name in order if name in inside]
    if not merged:
        return Bundle(dict(sources), [])
    result = {
        name: modules[name].text if name in ALONE_WHEN_FROZEN else rewriters[name].text(with_core=True)
        for name in modules
        if name not in inside
    }
    text, places = "\n", []  # the first line is that of the builtins
    for name in merged:
        places.append((text.count("\n") + 1, name))
        text += rewriters[name].text(with_core=False) + "\n"
    text, result = lean.without_names(reached(text, result.values()), result, CORE)
    said = {part.id for part in ast.walk(ast.parse(text)) if isinstance(part, ast.Name)}
    used = [name for name in BUILTINS if name in said]
    result[CORE] = (f"from builtins import {', '.join(used)}" if used else "") + text
    return Bundle({name: lean.without_stars(text) for name, text in result.items()}, places)


def _visit(name: str, modules: Mapping[str, _Module], order: list[str], under: tuple[str, ...] = ()) -> None:
    """Adds modules to `order` as they are executed: imported ones first."""
    if name in order or name in under or name not in modules:
        return
    for there in modules[name].eager:
        _visit(there, modules, order, (*under, name))
    order.append(name)


def _imported(statement: ast.stmt, modules: Mapping[str, _Module]) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom) and statement.module is not None:
        yield statement.module
        yield from (inner for alias in statement.names if (inner := f"{statement.module}.{alias.name}") in modules)


def _left_alone(modules: Mapping[str, _Module]) -> set[str]:
    alone = set(ALONE_WHEN_FROZEN)
    for module in modules.values():
        if module.name in ALONE_WHEN_FROZEN:
            alone |= set(module.eager)
        words = {
            part.id
            for statement in module.tree.body
            # Definitions of the core are not looked up by name.
            if not (isinstance(statement, ast.FunctionDef) and statement.name == "__getattr__")
            for part in ast.walk(statement)
            if isinstance(part, ast.Name)
        }
        if not all(isinstance(part, _PLAIN) for part in module.tree.body) or words & {"globals", "__name__"}:
            alone.add(module.name)
    return alone


def _is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)


def _locals(scope: ast.AST) -> set[str]:
    """Returns the names that this scope binds itself."""
    found: set[str] = set()
    outside: set[str] = set()
    if isinstance(scope, ast.FunctionDef | ast.Lambda):
        arguments = scope.args
        every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        found |= {argument.arg for argument in [*every, arguments.vararg, arguments.kwarg] if argument is not None}
    waiting: list[ast.AST] = list(_body(scope))
    while waiting:
        node = waiting.pop()
        if _is_stored(node):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            outside |= set(node.names)
        if isinstance(node, _SCOPES):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            waiting += _around(node)
        else:
            waiting += ast.iter_child_nodes(node)
    return found - outside


def _body(scope: ast.AST) -> list[ast.AST]:
    """Returns the parts that are evaluated within a scope."""
    if isinstance(scope, ast.FunctionDef | ast.ClassDef):
        return list(scope.body)
    if isinstance(scope, ast.Lambda):
        return [scope.body]
    assert isinstance(scope, _COMPREHENSIONS)
    parts: list[ast.AST] = []
    for place, generator in enumerate(scope.generators):
        parts += [generator.target, *generator.ifs] + ([generator.iter] if place else [])
    return parts + ([scope.key, scope.value] if isinstance(scope, ast.DictComp) else [scope.elt])


def _around(scope: ast.AST) -> list[ast.AST]:
    """Returns the parts of a scope that are evaluated outside it."""
    if isinstance(scope, ast.ClassDef):
        return [*scope.decorator_list, *scope.bases, *scope.keywords]
    if isinstance(scope, ast.FunctionDef | ast.Lambda):
        arguments = scope.args
        every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        notes = [argument.annotation for argument in every if argument.annotation is not None]
        parts = [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None), *notes]
        if isinstance(scope, ast.FunctionDef):
            parts += [*scope.decorator_list, *([scope.returns] if scope.returns is not None else [])]
        return list(parts)
    assert isinstance(scope, _COMPREHENSIONS)
    return [scope.generators[0].iter]


class _Rewriter:
    """Finds every reference of a module to the core, and, when it is merged itself, to its own top level; rewrites
    them."""

    def __init__(self, module: _Module, modules: Mapping[str, _Module], inside: frozenset[str]) -> None:
        self._module = module
        self._modules = modules
        self._inside = inside
        self._is_merged = module.name in inside
        self._top = {id(statement) for statement in module.tree.body}
        self._edits: list[tuple[ast.AST, str]] = []
        self._uses_core = False
        self._values: set[str] = set()
        self._strings: dict[int, ast.JoinedStr] = {}

    def run(self) -> set[str]:
        """Collects the edits; returns the modules that are used as a value here, so that any name may be looked up in
        them."""
        meant = self._meanings(self._module.tree.body)
        for statement in self._module.tree.body:
            self._walk(statement, [meant], None)
        return self._values

    def _meanings(self, nodes: Collection[ast.AST]) -> dict[str, tuple[str, str]]:
        """Returns {name: (module, name there or "")} for the imports among these nodes."""
        meant: dict[str, tuple[str, str]] = {}
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    assert "." not in alias.name or alias.name not in self._inside, (self._module.name, alias.name)
                    meant[alias.asname or alias.name] = (alias.name, "")
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    of = (inner, "") if inner in self._modules else (node.module, alias.name)
                    meant[alias.asname or alias.name] = of
        return meant

    def _walk(self, node: ast.AST, scopes: list, inside: ast.JoinedStr | None) -> None:
        """Collects the edits below a node. `scopes`: one dict a function, innermost last: {name: meaning of an import,
        or None for a local}."""
        if isinstance(node, ast.JoinedStr) and inside is None:
            inside = node
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node, is_top=len(scopes) == 1)
            return
        if isinstance(node, ast.Global):
            for name in node.names:
                assert not self._is_merged or name not in self._module.defined, (self._module.name, name)
            return
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            of = self._import_of(node.value.id, scopes)
            if of is not None and not of[1] and of[0] in self._inside:
                self._replace(node, self._name_of(of[0], node.attr), inside)
                return
        if isinstance(node, ast.Name):
            self._name(node, scopes, inside)
            return
        if isinstance(node, _SCOPES):
            for part in _around(node):
                self._walk(part, scopes, inside)
            own: dict = dict.fromkeys(_locals(node))
            if isinstance(node, ast.FunctionDef):
                own.update(
                    self._meanings([part for part in ast.walk(node) if isinstance(part, ast.Import | ast.ImportFrom)])
                )
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and id(node) in self._top and self._is_merged:
                self._edits.append((node, self._module.called(node.name)))
            below = [*scopes, own]
            for part in _body(node):
                # Methods do not see the names that their class binds.
                hidden = isinstance(node, ast.ClassDef) and isinstance(part, ast.FunctionDef)
                self._walk(part, scopes if hidden else below, inside)
            return
        for part in ast.iter_child_nodes(node):
            self._walk(part, scopes, inside)

    def _import_of(self, name: str, scopes: list) -> tuple[str, str] | None:
        for scope in reversed(scopes):
            if name in scope:
                return scope[name]
        return None

    def _name(self, node: ast.Name, scopes: list, inside: ast.JoinedStr | None) -> None:
        for scope in reversed(scopes[1:]):
            if node.id in scope and scope[node.id] is None:
                return
        of = self._import_of(node.id, scopes)
        if of is not None:
            if of[1] and of[0] in self._inside:
                self._replace(node, self._name_of(*of), inside)
            elif of[0] in self._inside:
                self._values.add(of[0])
        elif self._is_merged and node.id in self._module.defined:
            self._replace(node, self._module.called(node.id), inside)

    def _name_of(self, module: str, name: str) -> str:
        """Returns how a definition of the core is written in this module. A module may re-export a name of another."""
        seen = {module}
        while name not in self._modules[module].defined:
            of = self._meanings(self._modules[module].tree.body).get(name)
            assert of is not None and of[1] and of[0] in self._inside and of[0] not in seen, (module, name)
            module, name = of
            seen.add(module)
        called = self._modules[module].called(name)
        self._uses_core = True
        return called if self._is_merged else f"{CORE}.{called}"

    def _replace(self, node: ast.AST, text: str, inside: ast.JoinedStr | None) -> None:
        if inside is None:
            self._edits.append((node, text))
            return
        # Inside an f-string, nodes may have no exact columns: the whole string is written anew.
        known = self._strings.setdefault(id(inside), copy.deepcopy(inside))
        wanted = ast.dump(node)
        for part in ast.walk(known):
            for field, value in ast.iter_fields(part):
                if isinstance(value, ast.AST) and ast.dump(value) == wanted:
                    setattr(part, field, ast.parse(text, mode="eval").body)
                elif isinstance(value, list):
                    changed = [ast.parse(text, mode="eval").body if ast.dump(one) == wanted else one for one in value]
                    setattr(part, field, changed)
        self._edits = [edit for edit in self._edits if edit[0] is not inside]
        self._edits.append((inside, ast.unparse(known)))

    def _import(self, node: ast.Import | ast.ImportFrom, *, is_top: bool) -> None:
        package = node.module if isinstance(node, ast.ImportFrom) else None
        there = f"{package}." if package else ""
        left = [a for a in node.names if there + a.name not in self._inside and there[:-1] not in self._inside]
        if len(left) < len(node.names):
            words = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in left)
            start = f"from {package} import" if there else "import"
            self._edits.append((node, f"{start} {words}" if left else "" if is_top else "pass"))

    def text(self, *, with_core: bool) -> str:
        """Returns the source with the edits; every statement stays on its lines."""
        lines = self._module.text.encode().split(b"\n")
        for node, new in sorted(self._edits, key=lambda edit: (-edit[0].lineno, -edit[0].col_offset)):  # type: ignore[attr-defined]
            first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
            start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                start = lines[first].index(node.name.encode(), start + 3)
                end, last = start + len(node.name.encode()), first
            tail = lines[last][end:]
            lines[first] = lines[first][:start] + new.encode() + (tail if first == last else b"")
            if first != last:
                is_expression = isinstance(node, ast.expr)
                lines[first] += tail if is_expression else b""
                lines[first + 1 : last + 1] = [b""] * (last - first)
        if with_core and self._uses_core:
            place = _first_statement(self._module.tree)
            lines[place] = b"import " + CORE.encode() + b"; " + lines[place]
        return b"\n".join(lines).decode()


def _first_statement(tree: ast.Module) -> int:
    """Returns the index of the line of the first statement that is no docstring."""
    for statement in tree.body:
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            return (min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])) - 1
    raise AssertionError("a module without statements uses nothing")


if __name__ == "__main__":
    print("{}:{}".format(*of_kind(sys.argv[1]).where(int(sys.argv[2]))))
