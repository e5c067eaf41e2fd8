"""Runs portable source on the desk with the chip's 32-bit floats.

The source of a module is rewritten before it is compiled: every float literal, every result of an arithmetic operation
and of `math` is a `numpy.float32`, and any double that remains is an error. So the lines that run on the chip are
measured, not a copy of them. `ulp` moves each result of a `math` function by up to that many units in the last place,
seeded: C libraries differ by one or two, and a proof must not depend on one of them. Must not be used for timing: it is
slow.
"""

import ast
import math
import operator
import random
import types

import numpy

_OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
    ast.LShift: operator.lshift, ast.RShift: operator.rshift, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip


def load_single(path, *, ulp=0, seed=0):
    """Returns the namespace of the source file `path`, executed at single precision.

    Its imports must be `math` or integer-only.
    """
    tree = _Single().visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    namespace = {
        "__name__": f"single_{path.stem}",
        "_single_op": _operate,
        "_single_float": numpy.float32,
        "_single_import": _SingleMath(ulp, seed),
        "float": numpy.float32,
    }
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), namespace)
    return types.SimpleNamespace(**namespace)


def load_double(path):
    """Returns the namespace of the source file `path`, executed unchanged."""
    namespace = {"__name__": f"double_{path.stem}"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    return types.SimpleNamespace(**namespace)


class _Single(ast.NodeTransformer):
    def visit_Constant(self, node):
        if type(node.value) is float:
            return ast.Call(ast.Name("_single_float", ast.Load()), [node], [])
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        name = ast.Constant(type(node.op).__name__)
        return ast.Call(ast.Name("_single_op", ast.Load()), [name, node.left, node.right], [])

    def visit_AugAssign(self, node):
        raise AssertionError(f"line {node.lineno}: write a plain assignment, this escapes the rounding")

    def visit_Import(self, node):
        if [alias.name for alias in node.names] != ["math"]:
            return node
        return ast.Assign([ast.Name("math", ast.Store())], ast.Name("_single_import", ast.Load()))


_BY_NAME = {kind.__name__: function for kind, function in _OPERATORS.items()}


def _operate(name, left, right):
    assert type(left) is not float and type(right) is not float, "a double slipped through"
    if name == "Div":  # two integers divide to a float on the chip as well
        return numpy.float32(left) / numpy.float32(right)
    result = _BY_NAME[name](left, right)
    assert type(result) in (int, numpy.float32, str, tuple), f"{type(result)} is not of the chip"
    return result


class _SingleMath:
    """Gives `math` with results rounded to single precision."""

    def __init__(self, ulp, seed):
        self._ulp = ulp
        self._random = random.Random(seed)

    def __getattr__(self, name):
        function = getattr(math, name)
        if isinstance(function, float):
            return numpy.float32(function)

        def rounded(*arguments):
            result = function(*[float(numpy.float32(argument)) for argument in arguments])
            return self._nudged(numpy.float32(result)) if isinstance(result, float) else result

        self.__dict__[name] = rounded
        return rounded

    def _nudged(self, result):
        if not self._ulp:
            return result
        steps = self._random.randint(-self._ulp, self._ulp)
        return result + numpy.float32(steps) * numpy.spacing(result)
