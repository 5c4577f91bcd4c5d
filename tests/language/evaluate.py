#!/usr/bin/env python3
"""Expressions of the language over made-up rows, with the values that they have: an evaluation that shares nothing with
the program's. It makes trees, writes them as text and evaluates the trees; the program reads the text.

    python3 tests/language/evaluate.py 1000 > tests/language/cases.json

A case whose truth hangs on the last bits of a float is left out.
"""

import json
import math
import random
import sys
from fractions import Fraction

ROLES = ["relevant", "misaligned", "irrelevant", "ambiguous"]
LARGEST = 2**127 - 1


class Number:
    """A float, and the exact fraction as long as it is one of counts and decimals."""

    def __init__(self, value, exact=None):
        self.value, self.exact = value, exact


def exact(over, under):
    """The fraction, if 128 bits hold both before they are reduced."""
    if under == 0 or abs(over) > LARGEST or abs(under) > LARGEST:
        return None
    return Fraction(over, under)


def number(value, fraction=None):
    return None if math.isnan(value) else Number(value, fraction)


def decimal(value):
    return Number(float(value), Fraction(str(value)))


def arithmetic(sign, a, b):
    x, y = a.value, b.value
    p, q = a.exact, b.exact
    both = p is not None and q is not None
    fraction = None
    if both:
        # As much as the products that the sum is made of must fit.
        cross = [p.numerator * q.denominator, q.numerator * p.denominator, p.denominator * q.denominator]
        fits = all(abs(term) <= LARGEST for term in cross)
    if sign == "+":
        value = x + y
        fraction = exact(cross[0] + cross[1], cross[2]) if both and fits else None
    elif sign == "-":
        value = x - y
        fraction = exact(cross[0] - cross[1], cross[2]) if both and fits else None
    elif sign == "*":
        value = x * y
        fraction = exact(p.numerator * q.numerator, p.denominator * q.denominator) if both else None
    else:
        if y == 0.0:
            value = math.nan if x == 0.0 else math.copysign(math.inf, x) * math.copysign(1.0, y)
        else:
            value = x / y
        fraction = exact(p.numerator * q.denominator, p.denominator * q.numerator) if both else None
    return number(value, fraction)


class Tie(Exception):
    """The order of two floats that rounding may turn round."""


def order(a, b):
    if a.exact is not None and b.exact is not None:
        return (a.exact > b.exact) - (a.exact < b.exact)
    if a.value == b.value and (math.isinf(a.value) or a.value == 0.0):
        return 0
    if not math.isinf(a.value) and not math.isinf(b.value):
        if abs(a.value - b.value) <= 1e-9 * max(abs(a.value), abs(b.value)):
            if a.value == b.value and a is b:
                return 0
            raise Tie
    return (a.value > b.value) - (a.value < b.value)


def function(name, a):
    x = a.value
    try:
        if name == "abs":
            return Number(abs(x), None if a.exact is None else abs(a.exact))
        if name in ("floor", "ceil", "round"):
            if math.isinf(x) or abs(x) >= 1e15:
                raise Tie
            if abs(2 * x - round(2 * x)) < 1e-9 and a.exact is None:
                raise Tie
            whole = {"floor": math.floor, "ceil": math.ceil}.get(name)
            value = whole(x) if whole else int(math.copysign(math.floor(abs(x) + 0.5), x))
            # A float keeps the sign of 0.
            return Number(float(value) or math.copysign(0.0, x), Fraction(value))
        if name == "sqrt":
            return number(math.sqrt(x) if x >= 0 else math.nan)
        if name == "exp":
            return number(math.exp(x))
        if x == 0.0:
            return number(-math.inf)
        return number(math.log2(x) if name == "log2" else math.log(x))
    except OverflowError:
        return number(math.inf)
    except ValueError:
        return None


# Trees: each node writes itself and has a value in a run and a row.


class Run:
    def __init__(self, dice):
        experts = dice.choice([2, 4, 6, 8])
        self.experts = []
        for place in range(experts):
            diverged = dice.random() < 0.05
            self.experts.append(
                {
                    "expert": place,
                    "role": dice.choice(ROLES),
                    "norm_0": round(dice.uniform(0.1, 3), 6),
                    "delta": None if diverged else round(dice.uniform(-0.5, 1), 6),
                    "displacement": None if diverged else round(dice.uniform(0, 1), 6),
                }
            )
        samples = dice.choice([100, 2000, 300])
        self.pruning = []
        if dice.random() < 0.9:
            for criterion in ["router-norm-change", "reap"]:
                for kept in range(experts, 0, -1):
                    errors = dice.choice([0, 0, 1, 2, samples // 10, samples])
                    self.pruning.append(
                        {
                            "criterion": criterion,
                            "kept": kept,
                            "finetuned": False,
                            "errors": errors,
                            "samples": samples,
                            "accuracy": 1.0 - errors / samples,
                        }
                    )
        self.parameters = {"rare_share": 0.1, "batch": 128, "patterns": 128}

    def rows(self, table):
        if table == "experts":
            return self.experts
        own = [row for row in self.pruning if row["criterion"] == "router-norm-change"]
        return own


def cell(value, name):
    if value is None or isinstance(value, (bool, str)):
        return value
    if name in ("norm_0", "delta", "displacement"):
        return Number(value)
    return Number(float(value), Fraction(value))


LEVELS = {"or": 1, "and": 2, "not": 3, "=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "neg": 7, "^": 8, "atom": 9}


def wrap(text, level, needed, dice):
    return f"({text})" if level < needed or dice.random() < 0.1 else text


class Tree:
    """A text, how tightly it binds, and its value as a function of run and row."""

    def __init__(self, text, level, value):
        self.text, self.level, self.value = text, level, value


def leaf(text, value):
    return Tree(text, LEVELS["atom"], value)


def constant(dice):
    text = dice.choice(["0", "1", "2", "0.1", "0.25", "0.01", "3", "1e-3", "50", "0.3"])
    return leaf(text, lambda run, row: decimal(text))


def column(dice, table):
    if table == "experts":
        name = dice.choice(["norm_0", "delta", "displacement", "expert"])
        return leaf(dice.choice([name, f"experts.{name}"]), lambda run, row: cell(row[name], name))
    name = dice.choice(["kept", "errors", "accuracy"])
    if dice.random() < 0.25:

        def beside(run, row):
            other = next(r for r in run.pruning if r["criterion"] == "reap" and r["kept"] == row["kept"])
            return pruned(other, name)

        return leaf(f"{name} of reap", beside)
    return leaf(name, lambda run, row: pruned(row, name))


def pruned(row, name):
    if name == "accuracy":
        return Number(row["accuracy"], Fraction(row["samples"] - row["errors"], row["samples"]))
    return cell(row[name], name)


def numeric(dice, depth, table):
    kind = dice.random()
    if depth == 0 or kind < 0.25:
        if table is not None and dice.random() < 0.7:
            return column(dice, table)
        if table is None and dice.random() < 0.6:
            return aggregate(dice, 1)
        if dice.random() < 0.2:
            name = dice.choice(["rare_share", "batch"])
            return leaf(name, lambda run, row: decimal(run.parameters[name]))
        return constant(dice)
    if kind < 0.7:
        sign = dice.choice(["+", "-", "*", "/"])
        a, b = numeric(dice, depth - 1, table), numeric(dice, depth - 1, table)
        level = LEVELS[sign]
        text = f"{wrap(a.text, a.level, level, dice)} {sign} {wrap(b.text, b.level, level + 1, dice)}"

        def both(run, row):
            x, y = a.value(run, row), b.value(run, row)
            return None if x is None or y is None else arithmetic(sign, x, y)

        return Tree(text, level, both)
    if kind < 0.78:
        a = numeric(dice, depth - 1, table)
        text = f"-{wrap(a.text, a.level, LEVELS['neg'], dice)}"

        def negative(run, row):
            x = a.value(run, row)
            return None if x is None else Number(-x.value, None if x.exact is None else -x.exact)

        return Tree(text, LEVELS["neg"], negative)
    if kind < 0.9:
        name = dice.choice(["abs", "sqrt", "exp", "log", "log2", "floor", "ceil", "round"])
        a = numeric(dice, depth - 1, table)

        def apply(run, row):
            x = a.value(run, row)
            return None if x is None else function(name, x)

        return leaf(f"{name}({a.text})", apply)
    name = dice.choice(["min", "max"])
    a, b = numeric(dice, depth - 1, table), numeric(dice, depth - 1, table)

    def extreme(run, row):
        x, y = a.value(run, row), b.value(run, row)
        if x is None or y is None:
            return None
        side = order(y, x)
        return y if (side < 0 if name == "min" else side > 0) else x

    return leaf(f"{name}({a.text}, {b.text})", extreme)


def condition(dice, depth, table):
    kind = dice.random()
    if depth == 0 or kind < 0.5:
        if table == "experts" and dice.random() < 0.5:
            role = dice.choice(ROLES)
            if dice.random() < 0.5:
                return leaf(role, lambda run, row: row["role"] == role)
            return Tree(f"role = '{role}'", LEVELS["="], lambda run, row: row["role"] == role)
        sign = dice.choice(["=", "!=", "<", "<=", ">", ">="])
        a, b = numeric(dice, max(depth - 1, 0), table), numeric(dice, max(depth - 1, 0), table)

        def related(run, row):
            x, y = a.value(run, row), b.value(run, row)
            if x is None or y is None:
                return None
            side = order(x, y)
            return {"=": side == 0, "!=": side != 0, "<": side < 0, "<=": side <= 0, ">": side > 0, ">=": side >= 0}[sign]

        return Tree(f"{a.text} {sign} {b.text}", LEVELS["="], related)
    if kind < 0.75:
        sign = dice.choice(["and", "or"])
        a, b = condition(dice, depth - 1, table), condition(dice, depth - 1, table)
        level = LEVELS[sign]
        text = f"{wrap(a.text, a.level, level, dice)} {sign} {wrap(b.text, b.level, level + 1, dice)}"
        decisive = sign == "or"
        return Tree(text, level, lambda run, row: joined(decisive, [a.value(run, row), b.value(run, row)]))
    if kind < 0.85:
        a = condition(dice, depth - 1, table)
        text = f"not {wrap(a.text, a.level, LEVELS['not'], dice)}"

        def opposite(run, row):
            x = a.value(run, row)
            return None if x is None else not x

        return Tree(text, LEVELS["not"], opposite)
    if table is None:
        return quantified(dice, depth)
    a = numeric(dice, depth - 1, table)
    return leaf(f"known({a.text})", lambda run, row: a.value(run, row) is not None)


def joined(decisive, truths):
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def chosen(table, where, run):
    """The rows of a table in which a condition holds; nothing if that is not known."""
    rows = run.rows(table)
    if not rows:
        return None
    truths = [True if where is None else where.value(run, row) for row in rows]
    return None if None in truths else [row for row, truth in zip(rows, truths) if truth]


def rows_of(dice):
    table = dice.choice(["experts", "pruning"])
    where = condition(dice, 1, table) if dice.random() < 0.6 else None
    # Names of rows must tell which table it is.
    return table, where, "" if where is None else f" where {where.text}"


def names_table(table, text):
    own = ["norm_0", "delta", "displacement", "expert", "role"] + ROLES if table == "experts" else ["kept", "errors", "accuracy"]
    return any(name in text.replace("(", " ").replace(")", " ").replace(".", " ").split() for name in own)


def aggregate(dice, depth):
    while True:
        table, where, written = rows_of(dice)
        name = dice.choice(["min", "max", "sum", "mean", "median", "count", "share", "quantile"])
        if name in ("count", "share"):
            inner = condition(dice, depth, table)
        else:
            inner = numeric(dice, depth, table)
        if names_table(table, inner.text):
            break
    share = dice.choice(["0", "0.25", "0.5", "1"])

    def over(run, row):
        rows = chosen(table, where, run)
        if rows is None:
            return None
        values = [inner.value(run, row) for row in rows]
        if None in values:
            return None
        if name == "count":
            return Number(float(sum(values)), Fraction(sum(values)))
        if name == "share":
            return arithmetic("/", decimal(sum(values)), decimal(len(values))) if values else None
        if name in ("sum", "mean"):
            total = values[0] if values else decimal(0)
            for value in values[1:]:
                total = None if total is None else arithmetic("+", total, value)
            if name == "sum" or total is None:
                return total
            return arithmetic("/", total, decimal(len(values))) if values else None
        if not values:
            return None
        if name in ("min", "max"):
            best = values[0]
            for value in values[1:]:
                side = order(value, best) if value is not best else 0
                best = value if (side < 0 if name == "min" else side > 0) else best
            return best
        if name == "median":
            ranked = sorted(values, key=lambda value: value.value)
            middle = len(ranked) // 2
            if len(ranked) % 2 == 1:
                return ranked[middle]
            total = arithmetic("+", ranked[middle - 1], ranked[middle])
            return None if total is None else arithmetic("/", total, decimal(2))
        ranked = sorted(value.value for value in values)
        place = (len(ranked) - 1) * float(share)
        below = int(place)
        fraction = place - below
        if fraction == 0.0 or ranked[below] == ranked[below + 1]:
            return number(ranked[below])
        # NumPy interpolates from the nearer end, which tells for infinite values.
        step = ranked[below + 1] - ranked[below]
        return number(ranked[below] + step * fraction if fraction < 0.5 else ranked[below + 1] - step * (1 - fraction))

    second = f", {share}" if name == "quantile" else ""
    # A condition stands behind all arguments.
    return leaf(f"{name}({inner.text}{second}{written})", over)


def quantified(dice, depth):
    while True:
        table, where, written = rows_of(dice)
        inner = condition(dice, min(depth, 2), table)
        if names_table(table, inner.text):
            break
    name = dice.choice(["all", "any"])

    def over(run, row):
        rows = chosen(table, where, run)
        return joined(name == "any", [inner.value(run, row) for row in rows]) if rows else None

    return leaf(f"{name}({inner.text}{written})", over)


def table_text(rows, names):
    def text(value):
        return "" if value is None else str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)

    lines = [",".join(names)]
    lines += [",".join(text(row[name]) for name in names) for row in rows]
    return "\n".join(lines) + "\n"


def main():
    wanted = int(sys.argv[1])
    dice = random.Random(20240616)
    runs = [Run(dice) for _ in range(20)]
    made = []
    for place, run in enumerate(runs):
        cases = []
        while len(cases) < wanted // len(runs):
            is_condition = dice.random() < 0.5
            tree = condition(dice, 3, None) if is_condition else numeric(dice, 3, None)
            if len(tree.text) > 400:
                continue
            try:
                value = tree.value(run, None)
            except Tie:
                continue
            if value is not None and not is_condition:
                value = repr(value.value)
            cases.append(["condition" if is_condition else "number", value, tree.text])
        fixed = {"point": 0, "run": 0, "sign": 1, "built_role": "irrelevant", "lambda1_0": 0.0, "lambda2_0": 0.0, "p1_0": 0.0, "p2_0": 0.0}
        experts = [{**fixed, **row} for row in run.experts]
        pruning = [{"point": 0, "run": 0, "ratio": 1 - row["kept"] / len(experts), "tied": 0, "certificate": "", **row} for row in run.pruning]
        names = ["point", "run", "criterion", "kept", "ratio", "finetuned", "accuracy", "errors", "samples", "certificate", "tied"]
        made.append(
            {
                "experts": table_text(experts, list(fixed) + ["expert", "role", "norm_0", "delta", "displacement"]),
                "pruning": table_text(pruning, names),
                "cases": cases,
            }
        )
    json.dump({"runs": made}, sys.stdout, separators=(",", ":"))
    print()


main()
