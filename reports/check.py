"""Reads a results.json and refuses it, in one line, unless it has the contract's shape and follows from its own rows.

Beyond the schema, everything that can be derived is derived again: the digest of what was recorded, each row's verdict
from its interval, side and margin, each claim's verdicts from its rows. A file edited by hand does not pass.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import re
from collections.abc import Iterable
from pathlib import Path

from fixtures.verdict.claim import INCONCLUSIVE, NOT_RUN, Claim, ClaimError
from fixtures.verdict.evidence import EvidenceError, Row, adjusted, final_verdicts, in_scope, make_row
from fixtures.verdict.multiplicity import over_run
from fixtures.verdict.statistics import Measured, StatisticsError, Summary
from fixtures.verdict.tiers import tier_of

SCHEMA = Path(__file__).with_name("results.schema.json")


class ResultsError(ValueError):
    """A results file that cannot be read, is not of the contract's shape, or contradicts itself; one line."""


def digest(claims: list[dict], evidence: list[dict]) -> str:
    """SHA-256 of the canonical JSON of what was stated and found; the writer stores it, the reader recomputes it."""
    text = json.dumps({"claims": claims, "evidence": evidence}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load(path: Path | str) -> dict:
    """The results in `path`. Raises ResultsError: unreadable, not JSON, not to the schema, or not self-consistent."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ResultsError(f"{path}: cannot be read ({why})") from None
    try:
        results = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole, object_pairs_hook=_no_repeats
        )
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: not JSON as results.json is written ({_clip(error, 200)})") from None
    try:
        verify(results)
    except ResultsError as error:
        raise ResultsError(f"{path}: {error}") from None
    return results


def verify(results: dict) -> None:
    """Raises ResultsError for the first thing in `results` that breaks the schema or does not follow from the rest."""
    _verify_shape(results)
    for index, file in enumerate(results["run"].get("files", ())):
        if not is_relative(file["name"]):
            raise ResultsError(
                f"run.files[{index}].name: is {_clip(json.dumps(file['name']))}; allowed: a path inside the report's folder"
            )
    for index, picture in enumerate(results["run"].get("pictures", ())):
        _verify_picture(picture, f"run.pictures[{index}]")
    if results["run"]["exit"] == 0 and results["run"]["problems"]:
        raise ResultsError("run: exit is 0 although problems are listed")
    recorded, found = results["run"]["digest"], digest(results["claims"], results["evidence"])
    if recorded != found:
        raise ResultsError(
            f"run.digest is {recorded[:12]}… but claims and evidence have {found[:12]}…: "
            "the file was changed after the run"
        )
    claims: dict[str, Claim] = {}
    rows = [Row.from_json(_as_now(row)) for row in results["evidence"]]
    where = ""
    try:
        for stated in results["claims"]:
            where = f"claims ({stated['id']})"
            if stated["id"] in claims:
                raise ResultsError(f"{where}: stands twice")
            claims[stated["id"]] = _verify_claim(stated, where)
        for index, row in enumerate(rows):
            where = f"evidence[{index}] ({_clip(row.claim)}, {_clip(row.model)}, {_clip(row.rule)})"
            if row.claim not in claims:
                raise ResultsError(f"{where}: claims has no {row.claim}")
            _verify_row(row, claims[row.claim], where)
            for name, spec in row.series.items():
                _verify_series(spec, f"{where}.series[{_clip(name)!r}]")
    except (ClaimError, StatisticsError, EvidenceError) as error:
        raise ResultsError(f"{where}: {_clip(error, 300)}") from None
    _verify_adjusted(rows, claims)
    stated = results["run"].get("multiplicity")
    if stated is not None and stated != over_run(rows):
        raise ResultsError("run.multiplicity: is not what the evidence gives")
    for stated in results["claims"]:
        own = [row for row in rows if row.claim == stated["id"]]
        expected = final_verdicts(own, complete=stated["complete"], errors=bool(stated["errors"]))
        for model in sorted(expected.keys() | stated["verdicts"].keys()):
            says, follows = stated["verdicts"].get(model, "nothing"), expected.get(model, "nothing")
            if says != follows:
                raise ResultsError(
                    f"claims ({stated['id']}): verdict for {_clip(model)} is {says!r}, its evidence gives {follows!r}"
                )
        _verify_scope(stated, own)


def _verify_picture(picture: dict, where: str) -> None:
    """Rows for every head, a cell for every pair, whole groups of heads that share a key, and no pair beyond the last."""
    heads, pairs = picture["layers"] * picture["heads"], len(picture["period"])
    for name in ("use", "utility"):
        rows = picture[name]
        if rows is not None and (len(rows) != heads or any(len(row) != pairs for row in rows)):
            raise ResultsError(f"{where}.{name}: is not {heads} rows (heads) of {pairs} (pairs)")
    told = picture.get("all_layers")
    if told is not None and sum(one["kind"] == "measured" for one in told) != picture["layers"]:
        raise ResultsError(f"{where}.all_layers: not {picture['layers']} of them are measured")
    for layer, one in enumerate(told or ()):
        more = {"measured": {"window", "turning", "usual"}, "another size": {"shape"}}.get(one["kind"], set())
        if set(one) != {"kind"} | more or one.get("turning", 0) > pairs:
            raise ResultsError(f"{where}.all_layers[{layer}]: is not what a layer of its kind has")
    keys = picture["pruned"]
    if (keys is None) != (picture["pruning"] is None):
        raise ResultsError(f"{where}: pruned and pruning come together")
    if keys is None:
        return
    if not keys or heads % len(keys) or len(keys) % picture["layers"]:
        raise ResultsError(
            f"{where}.pruned: {len(keys)} key heads do not divide {heads} heads of {picture['layers']} layers"
        )
    if any(pair >= pairs for row in keys for pair in row):
        raise ResultsError(f"{where}.pruned: names a pair beyond the {pairs} there are")
    share = sum(map(len, keys)) / (len(keys) * pairs)
    if not math.isclose(share, picture["pruning"]["share"], abs_tol=1e-4):
        raise ResultsError(f"{where}.pruning.share: is {picture['pruning']['share']:g}, the pruned pairs are {share:g}")


def is_relative(name: str) -> bool:
    """Whether `name` is a path that stays inside the folder it is relative to, on any system and as a link."""
    return (
        name.isprintable()
        and not re.search(r"[\\:]", name)
        and all(part not in ("", ".", "..") for part in name.split("/"))
    )


# What JSON allows and results.json does not


def _no_constant(name: str):
    raise ValueError(f"it holds {name}; numbers must be finite")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {_clip(text)} is too large; numbers must be finite")
    return value


def _whole(text: str) -> int:
    _finite(text)  # a whole number beyond any float would break whoever computes with it
    return int(text)


def _no_repeats(pairs: list[tuple[str, object]]) -> dict:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the field {next(_clip(n) for n in names if names.count(n) > 1)!r} stands twice in one object"
        )
    return keys


# The schema, told in one line


def _verify_shape(results: object) -> None:
    # the first in document order, and the same one on every run
    error = next(validator().iter_errors(results), None)
    if error is not None:
        raise ResultsError(told(error))


_KINDS = {
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    type(None): ("null",),
    list: ("array",),
    dict: ("object",),
}


@functools.cache
def validator():
    """jsonschema's, which takes a quarter of a million steps through a full run's file, without the steps for values that
    plainly fit: a type, a range, one of some words, or a list of such."""
    import jsonschema  # late: most runs of the suite never check a file

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    usual = jsonschema.Draft202012Validator

    def meant(part: dict) -> dict:
        """What it refers to within the schema, if it does nothing else."""
        while "$ref" in part and part.keys() <= {"$ref", "description"}:
            part = schema["$defs"][part["$ref"].removeprefix("#/$defs/")]
        return part

    def fits(value: object, part: dict) -> bool:
        """Whether it surely does; what is False here may still fit."""
        part, kinds = meant(part), _KINDS.get(type(value), ())
        if not part.keys() <= {"type", "description", "enum", "items", "minimum", "maximum"}:
            return False
        wanted = part.get("type", kinds)
        if not any(kind in wanted if isinstance(wanted, (list, tuple)) else kind == wanted for kind in kinds):
            return False
        if "enum" in part and not (type(value) is str and value in part["enum"]):
            return False
        if type(value) in (int, float) and not part.get("minimum", value) <= value <= part.get("maximum", value):
            return False
        return type(value) is not list or "items" not in part or all(fits(one, part["items"]) for one in value)

    def properties(validator, own, instance, part):
        if type(instance) is dict:
            for name, of in own.items():
                if name in instance and not fits(instance[name], of):
                    yield from validator.descend(instance[name], meant(of), path=name, schema_path=name)

    def others(validator, of, instance, part):
        if type(instance) is dict and type(of) is dict:
            for name, value in instance.items():
                if name not in part.get("properties", ()) and not fits(value, of):
                    yield from validator.descend(value, meant(of), path=name)
        else:
            yield from usual.VALIDATORS["additionalProperties"](validator, of, instance, part)

    def items(validator, of, instance, part):
        if type(instance) is list:
            for index, value in enumerate(instance):
                if not fits(value, of):
                    yield from validator.descend(value, meant(of), path=index)

    quick = {"properties": properties, "additionalProperties": others, "items": items}
    return jsonschema.validators.extend(usual, quick)(schema)


def told(error) -> str:
    """A jsonschema error in one line: where it is, what is there, and what is allowed instead."""
    return f"{_place(error.absolute_path)}: {_allowed(error)}"


def _place(path: Iterable[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_clip(part)}" for part in path)
    return text.lstrip(".") or "the document"


def _allowed(error) -> str:
    """A jsonschema error as: what is there, and what is allowed instead."""
    there, rule, want = error.instance, error.validator, error.validator_value
    if rule == "required":
        return f"lacks the field {next(name for name in want if name not in there)!r}"
    if rule == "additionalProperties" and want is False:
        known = list(error.schema["properties"])
        extra = next(name for name in there if name not in known)
        return f"has an unknown field {_clip(extra)!r}; allowed: {', '.join(known)}"
    if rule == "type":
        kinds = [want] if isinstance(want, str) else want
        return f"is {_clip(json.dumps(there))}; allowed: {' or '.join(kinds)}"
    if rule in ("enum", "const"):
        values = want if rule == "enum" else [want]
        return f"is {_clip(json.dumps(there))}; allowed: {', '.join(map(json.dumps, values))}"
    if rule == "oneOf":
        return f"must have exactly one of: {', '.join(next(iter(part['required'])) for part in want)}"
    return f"is {_clip(json.dumps(there))}; allowed: {rule} {_clip(json.dumps(want))}"


def _clip(value: object, limit: int = 80) -> str:
    text = " ".join(str(value).split())
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


# What must follow from what


def _verify_scope(stated: dict, rows: list[Row]) -> None:
    """What a claim says of its models' tiers must follow from their names, and who is an illustration from the rows."""
    for name, follows in (
        ("tiers", {model: tier_of(model) for model in stated["verdicts"]}),
        ("in_scope", in_scope(rows)),
    ):
        for model in sorted(follows.keys() | stated[name].keys()):
            says, expected = stated[name].get(model, "nothing"), follows.get(model, "nothing")
            if says != expected:
                raise ResultsError(
                    f"claims ({stated['id']}): {name} for {_clip(model)} is {says!r}, its evidence gives {expected!r}"
                )


_DERIVED = (
    "tier",
    "in_scope",
    "quantity",
    "unit",
    "side",
    "margin",
    "margin_why",
    "unit_of_analysis",
    "alpha",
    "family",
    "decisive",
    "verdict",
    "sensitivity",
    "control_ok",
    "sentence",
)
"""Fields of a row that its claim, its interval and its reason decide."""


def _verify_claim(stated: dict, where: str) -> Claim:
    """The claim as its module states it. Raises ResultsError if it is no claim or not the one that was hashed."""
    claim = Claim.from_json(stated)
    if claim.digest != stated["digest"]:
        raise ResultsError(
            f"{where}: digest is {stated['digest'][:12]}… but its sentence and rules have {claim.digest[:12]}…"
        )
    return claim


def _as_now(row: dict) -> dict:
    """The row with the fields that rows of earlier versions lack: a reason ended in the command that would measure it and
    named recorded deviations, and the words of a test said what its estimate is."""
    worst, equal = row["test"].startswith("worst"), "all units equal" in row["test"]
    summary = Summary.WORST if worst else Summary.EQUAL if equal else Summary.STATISTIC
    return {"summary": None if row["estimate"] is None else summary, "to_run": "", "deviations": []} | row


def _verify_row(row: Row, claim: Claim, where: str) -> None:
    """The row is decided again, by the rule as the claim states it, and must come out the same."""
    if (row.estimate is None) and (row.ci or row.n):
        raise ResultsError(f"{where}: has an interval or n, and no estimate")
    if (row.estimate is None) != (row.summary is None):
        raise ResultsError(
            f"{where}: has {'no estimate and a summary of one' if row.summary else 'an estimate and no summary'}"
        )
    measured = None
    if row.estimate is not None:
        ci = tuple(row.ci) if row.ci else None
        measured = Measured(row.estimate, ci, row.n, row.test, row.p, row.p_against, Summary(row.summary))
    # a verdict held back always says why, and no margin would change it; else it must follow from the interval
    same = set(row.sensitivity.values()) == {row.verdict}
    held_back = row.verdict if row.reason and same and row.verdict in (INCONCLUSIVE, NOT_RUN) else None
    again = make_row(
        claim,
        claim.rule(row.rule),
        measured,
        model=row.model,
        role=row.role,
        verdict=held_back,
        reason=row.reason,
        to_run=row.to_run,
        illustration=row.illustration,
    )
    for name in _DERIVED:
        says, follows = getattr(row, name), getattr(again, name)
        if says != follows:
            basis = (
                f"the interval {row.ci}, {row.side} {row.margin:g},"
                if name in ("verdict", "sensitivity")
                else "the rest of it"
            )
            raise ResultsError(
                f"{where}: {name} is {_clip(repr(says), 160)}, {basis} gives {_clip(repr(follows), 160)}"
            )


def _verify_series(spec: dict, where: str) -> None:
    {"lines": _verify_lines, "scatter": _verify_scatter, "heatmap": _verify_heatmap, "table": _verify_table}[
        spec["kind"]
    ](spec, where)


def _verify_table(spec: dict, where: str) -> None:
    for index, cells in enumerate(spec["rows"]):
        if len(cells) != len(spec["columns"]):
            raise ResultsError(f"{where}.rows[{index}]: has {len(cells)} cells for {len(spec['columns'])} columns")


def _verify_lines(spec: dict, where: str) -> None:
    points = len(spec["x"]["values"])
    if len(spec["x"].get("labels", spec["x"]["values"])) != points:
        raise ResultsError(f"{where}.x: has {len(spec['x']['labels'])} labels for {points} values")
    for line in spec["lines"]:
        name = f"{where}: line {_clip(line['label'])!r}"
        if ("low" in line) != ("high" in line):
            raise ResultsError(f"{name} has {'low' if 'low' in line else 'high'} alone; an interval has low and high")
        for values in [*(line["seeds"] if "seeds" in line else [line["values"]]), *_ends(line)]:
            if len(values) != points:
                raise ResultsError(f"{name} has {len(values)} values for {points} on the x axis")
        for low, high in zip(*_ends(line), strict=True):
            if low is not None and high is not None and low > high:
                raise ResultsError(f"{name} has the interval {low:g} to {high:g}, which is not ordered")


def _ends(line: dict) -> list[list[float | None]]:
    return [line["low"], line["high"]] if "low" in line else []


def _verify_scatter(spec: dict, where: str) -> None:
    for group in spec["groups"]:
        for name in ("y", "names"):
            if len(group.get(name, group["x"])) != len(group["x"]):
                raise ResultsError(
                    f"{where}: group {_clip(group['label'])!r} has {len(group['x'])} x and {len(group[name])} {name}"
                )


def _verify_heatmap(spec: dict, where: str) -> None:
    rows, columns = len(spec["y"]["values"]), len(spec["x"]["values"])
    if len(spec["values"]) != rows:
        raise ResultsError(f"{where}.values: has {len(spec['values'])} rows for {rows} names")
    for index, cells in enumerate(spec["values"]):
        if len(cells) != columns:
            raise ResultsError(f"{where}.values[{index}]: has {len(cells)} cells for {columns} columns")
    if not spec["low"] < spec["high"]:
        raise ResultsError(f"{where}: low is {spec['low']:g} and high {spec['high']:g}; allowed: low below high")


def _verify_adjusted(rows: list[Row], claims: dict[str, Claim]) -> None:
    bare = [dataclasses.replace(row, p_adjusted=None, p_against_adjusted=None) for row in rows]
    for row, again in zip(rows, adjusted(bare, claims), strict=True):
        for name, over in (("p_adjusted", "its family"), ("p_against_adjusted", "the rules declared for its model")):
            recorded, found = getattr(row, name), getattr(again, name)
            if (recorded is None) != (found is None) or (
                recorded is not None and not math.isclose(recorded, found, rel_tol=1e-9)
            ):
                raise ResultsError(
                    f"evidence ({row.claim}, {_clip(row.key)}): {name} is {recorded}, Holm over {over} gives {found}"
                )


__all__ = ["ResultsError", "digest", "is_relative", "load", "verify"]
