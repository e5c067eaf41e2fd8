"""Writes constants into the code that uses them, so that a chip need not keep their names in RAM.

A module's names are a table in RAM, 8 bytes each, frozen or not; most of them are integers and short strings that other
modules look up. In a whole program every use is known. So a name that is bound once, to an integer or a short string,
is replaced by its value wherever it is used; a name that is no longer looked up is not bound, and a module of limits
only is not even imported. Statements stay on their lines, so that a traceback of a chip fits the source.

Unchanged stay modules that are used as a value (`kind`, `board`), whose names may be looked up at run time, names
inside f-strings, and strings so long that two equal ones need not be one object (`is`). Nothing else in a program
changes. Must import the standard library only, because `firmware/manifest.py` runs this inside MicroPython's own build.
"""

import ast
import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

# On a board these may be older or newer than the program: their names are looked up at run time.
STAND_ALONE = frozenset(("boot", "guard", "rtc", "slots", "loader", "last_resort"))
# A program frozen into the interpreter has no loader; only the module that runs before it stays separate.
ALONE_WHEN_FROZEN = frozenset(("boot",))
# The port makes one object of equal strings up to this length.
_WORD_CHARS_MAX = 10
_OPERATIONS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.LShift: lambda a, b: a << b,
    ast.RShift: lambda a, b: a >> b,
    ast.BitOr: lambda a, b: a | b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitXor: lambda a, b: a ^ b,
}
Value = int | str


class _Module:
    """Holds one source file, and what its names refer to."""

    def __init__(self, name: str, text: str, *, is_alone: bool) -> None:
        self.name = name
        self.text = text
        self.is_alone = is_alone
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))  # walked once: that is what squeezing takes its time for
        self.bound: dict[str, int] = {}  # how often each name is bound, at any depth
        self.imports: dict[str, set[tuple[str, str]]] = {}  # {name here: {(module, name there, "" for a module)}}
        self.constants: dict[str, Value] = {}
        self.definitions: dict[str, ast.Assign] = {}
        self.formulas: dict[str, tuple[list[ast.arg], list[ast.expr], ast.expr]] = {}
        self.kept: set[str] = set()  # constants with a use that cannot be folded

    def only_import(self, name: str) -> tuple[str, str] | None:
        """Returns what a name refers to when only imports bind it, all to the same thing; else None."""
        found = self.imports.get(name, set())
        return next(iter(found)) if len(found) == 1 and name not in self.bound else None


class Edit(NamedTuple):
    """Holds a text that replaces the source of `node`."""

    node: ast.AST
    text: str


def squeeze(sources: Mapping[str, str], alone: frozenset[str] = STAND_ALONE) -> dict[str, str]:
    """Returns {module: its source} of one whole program, with constants written where they are used."""
    modules = _read(sources, alone)
    at_large = _escaped(modules)
    for module in modules.values():
        for statement in module.tree.body:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Name) and module.bound[target.id] == 1 and target.id not in module.imports:
                    module.definitions[target.id] = statement
            elif isinstance(statement, ast.FunctionDef) and module.bound[statement.name] == 1:
                _note_formula(module, statement)
    for module in modules.values():
        for name in module.definitions:
            _value_of(module, name, modules, set())
    for name in at_large & set(modules):
        for meant in modules[name].imports.values():
            for there, what in meant:
                _keep(there if what else "", what, modules)
    found = {name: list(_uses(module, modules)) for name, module in modules.items()}
    return {name: _rewritten(modules[name], modules, at_large, found[name]) for name in modules}


def squeezed(modules: Mapping[str, Path], alone: frozenset[str] = STAND_ALONE) -> dict[str, str]:
    """Squeezes the modules in these files."""
    return squeeze({name: path.read_text(encoding="utf-8") for name, path in modules.items()}, alone)


def _note_formula(module: _Module, function: ast.FunctionDef) -> None:
    """Notes a function whose body is one expression: its value for constant arguments is a constant."""
    args, body = function.args, function.body[-1]
    is_plain = not (args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs or function.decorator_list)
    is_one = len(function.body) == 1 or (len(function.body) == 2 and isinstance(function.body[0], ast.Expr))
    if is_plain and is_one and isinstance(body, ast.Return) and body.value is not None:
        module.formulas[function.name] = (args.args, args.defaults, body.value)


def _escaped(modules: Mapping[str, _Module]) -> set[str]:
    return {name for module in modules.values() for name in _passed_on(module)} | {
        name for name, module in modules.items() if module.is_alone
    }


def _read(sources: Mapping[str, str], alone: frozenset[str]) -> dict[str, _Module]:
    modules = {name: _Module(name, text, is_alone=name in alone) for name, text in sources.items()}
    for module in modules.values():
        _bind(module, modules)
    return modules


def _bind(module: _Module, modules: Mapping[str, _Module]) -> None:
    """Counts the bindings of each name, over all scopes together: a name that is bound twice is left alone."""
    for node in module.nodes:
        names: list[str] = []
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names = [node.id]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names = [node.name]
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names = node.names * 2
        elif isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname or "." not in alias.name else alias.name.partition(".")[0]
                module.imports.setdefault(alias.asname or whole, set()).add((whole, ""))
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                meant = (inner, "") if inner in modules else (node.module, alias.name)
                module.imports.setdefault(alias.asname or alias.name, set()).add(meant)
        for name in names:
            module.bound[name] = module.bound.get(name, 0) + 1


def _passed_on(module: _Module) -> Iterator[str]:
    """Yields the modules that are used as a value here: any name may be looked up in them."""
    bases = {id(node.value) for node in module.nodes if isinstance(node, ast.Attribute)}
    for node in module.nodes:
        if isinstance(node, ast.Name) and (isinstance(node.ctx, ast.Store) or id(node) not in bases):
            yield from (there for there, name in module.imports.get(node.id, ()) if not name)
    for name, meant in module.imports.items():
        if len(meant) > 1 or name in module.bound:
            yield from (there for there, _ in meant)
    # Loaded by a name made at run time: main.load_board, kinds.load.
    if module.name.partition(".")[0] in ("boards", "kinds"):
        yield module.name


def _value_of(module: _Module, name: str, modules: Mapping[str, _Module], asked: set[tuple[str, str]]) -> Value | None:
    if name in module.constants:
        return module.constants[name]
    statement = module.definitions.get(name)
    if statement is None or (module.name, name) in asked:
        return None
    value = _evaluated(statement.value, module, modules, asked | {(module.name, name)})
    if isinstance(value, str) and len(value) > _WORD_CHARS_MAX:
        return None
    if value is not None:
        module.constants[name] = value
    return value


def _evaluated(node: ast.AST, module: _Module, modules: Mapping[str, _Module], asked: set) -> Value | None:
    if isinstance(node, ast.Constant):
        value = node.value
        return value if isinstance(value, int | str) and not isinstance(value, bool) else None
    if isinstance(node, ast.Name | ast.Attribute):
        place = _place(node, module, modules)
        return None if place is None else _value_of(modules[place[0]], place[1], modules, asked)
    if isinstance(node, ast.Call):
        return _called(node, module, modules, asked)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _evaluated(node.operand, module, modules, asked)
        return -value if isinstance(value, int) else None
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = (_evaluated(side, module, modules, asked) for side in (node.left, node.right))
        if isinstance(left, int) and isinstance(right, int):
            return _OPERATIONS[type(node.op)](left, right)
    return None


def _called(node: ast.Call, module: _Module, modules: Mapping[str, _Module], asked: set) -> Value | None:
    """Returns the value of a call of a formula with constant arguments, or None."""
    there, name = module.name, node.func.id if isinstance(node.func, ast.Name) else ""
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        meant = module.only_import(node.func.value.id)
        there, name = (meant[0], node.func.attr) if meant is not None and not meant[1] else ("", "")
    elif name in module.imports:
        there, name = module.only_import(name) or ("", "")
    home = modules.get(there)
    if home is None or home.is_alone or name not in home.formulas or node.keywords:
        return None
    args, defaults, body = home.formulas[name]
    values = [_evaluated(arg, module, modules, asked) for arg in node.args]
    left = len(args) - len(values)
    values += [_evaluated(default, home, modules, asked) for default in (defaults[-left:] if left > 0 else ())]
    if len(values) != len(args) or any(not isinstance(value, int) for value in values):
        return None
    known = {arg.arg: value for arg, value in zip(args, values, strict=True)}
    body = _Filled(known).visit(copy.deepcopy(body))
    return _evaluated(body, home, modules, asked)


class _Filled(ast.NodeTransformer):
    """Replaces names by numbers."""

    def __init__(self, known: dict) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self._known[node.id]) if node.id in self._known else node


def _place(node: ast.AST, module: _Module, modules: Mapping[str, _Module]) -> tuple[str, str] | None:
    """Returns (module, name) of the definition that a name or `module.name` refers to, or None."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        meant = module.only_import(node.value.id)
        if meant is None or meant[1] or meant[0] not in modules or modules[meant[0]].is_alone:
            return None
        return _home(meant[0], node.attr, modules)
    if isinstance(node, ast.Name):
        if node.id in module.imports:
            meant = module.only_import(node.id)
            if meant is None or not meant[1] or meant[0] not in modules or modules[meant[0]].is_alone:
                return None
            return _home(meant[0], meant[1], modules)
        return (module.name, node.id) if node.id in module.definitions else None
    return None


def _home(there: str, name: str, modules: Mapping[str, _Module]) -> tuple[str, str] | None:
    """Returns the place of the definition: a module may re-export a name of another."""
    seen = set()
    while name not in modules[there].definitions:
        meant = modules[there].only_import(name)
        if meant is None or not meant[1] or meant[0] not in modules or meant in seen or modules[meant[0]].is_alone:
            return None
        seen.add(meant)
        there, name = meant
    return there, name


def _uses(module: _Module, modules: Mapping[str, _Module]) -> Iterator[Edit]:
    """Yields the edits of a module; notes each constant that cannot be folded with the module that has to keep it."""
    inside = {id(part) for node in module.nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in module.nodes:
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        place = _place(node, module, modules)
        value = None if place is None else modules[place[0]].constants.get(place[1])
        if value is None:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                for there, name in module.imports.get(node.value.id, ()):
                    _keep(there if not name else "", node.attr, modules)
            continue
        assert place is not None
        if id(node) in inside:
            modules[place[0]].kept.add(place[1])
            if isinstance(node, ast.Name) and node.id in module.imports:
                module.kept.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module.kept.add(node.value.id)
                _keep(next(iter(module.imports[node.value.id]))[0], node.attr, modules)
            continue
        yield Edit(node, repr(value) if not isinstance(value, int) or value >= 0 else f"({value})")


def _keep(there: str, name: str, modules: Mapping[str, _Module]) -> None:
    """Keeps a name that is looked up at run time, in this module and in those it comes from."""
    while there in modules:
        modules[there].kept.add(name)
        meant = modules[there].only_import(name)
        if meant is None or not meant[1]:
            return
        there, name = meant


def _rewritten(module: _Module, modules: Mapping[str, _Module], escaped: set[str], edits: list[Edit]) -> str:
    edits = list(edits)
    if module.is_alone:
        return module.text
    folded = {id(edit.node) for edit in edits}
    dead: list[tuple[ast.AST, str]] = []
    if module.name not in escaped:
        for name, statement in module.definitions.items():
            if name in module.constants and name not in module.kept:
                dead.append((statement, ""))
    gone = {id(part) for statement, _ in dead for part in ast.walk(statement)}
    under = {id(edit.node.value) for edit in edits if isinstance(edit.node, ast.Attribute)}
    used = {
        node.id
        for node in module.nodes
        if isinstance(node, ast.Name) and id(node) not in folded | gone | under
    }
    spans = [edit for edit in edits if id(edit.node) not in gone]
    spans += [Edit(statement, text) for statement, text in dead]
    top = {id(statement) for statement in module.tree.body}
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            # No other module looks up what a function imports.
            seen = escaped if id(node) in top else set()
            left = [alias for alias in node.names if _stays(alias, node.module, module, modules, seen, used)]
            if len(left) < len(node.names):
                words = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in left)
                nothing = "" if id(node) in top else "pass"
                spans.append(Edit(node, f"from {node.module} import {words}" if left else nothing))
    return applied(module.text, spans)


def _stays(alias: ast.alias, there: str, module: _Module, modules: Mapping, escaped: set[str], used: set[str]) -> bool:
    """Returns True when an imported name is still needed: here, or by a look-up from outside."""
    name = alias.asname or alias.name
    if name in used or name in module.kept or module.name in escaped:
        return True
    inner = f"{there}.{alias.name}"
    if inner in modules:
        # A module of which only constants were used is no longer imported.
        return not any(
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
            for node in module.nodes
        )
    home = _home(there, alias.name, modules) if there in modules and not modules[there].is_alone else None
    return home is None or home[1] not in modules[home[0]].constants


def applied(text: str, spans: list[Edit]) -> str:
    """Returns the text with the spans replaced, from the end to the beginning; a statement keeps its lines."""
    lines = text.encode().split(b"\n")
    for node, new in sorted(spans, key=lambda span: (-span.node.lineno, -span.node.col_offset)):  # type: ignore[attr-defined]
        first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
        start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
        tail = lines[last][end:]
        lines[first] = lines[first][:start] + new.encode() + (tail if first == last else b"")
        if first != last:
            lines[first] += tail if isinstance(node, ast.expr) else b""
            lines[first + 1 : last + 1] = [b""] * (last - first)
    return b"\n".join(lines).decode()
