"""Two runs side by side: which verdicts, claims and estimates differ between two results.json. `python -m reports diff A B`.

Nothing is decided here: whether a difference fails a run is the gate's business.
"""

from __future__ import annotations

import dataclasses

from fixtures.plain import text
from fixtures.verdict.claim import NOT_RUN, worded


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One model of one claim whose verdict differs. '' where a run has none."""

    claim: str
    model: str
    before: str
    now: str
    in_scope: bool

    @property
    def words(self) -> tuple[str, str]:
        """Both verdicts; of a model that the claim is not about as an illustration reads."""
        names = worded(self.in_scope) | {"": "none"}
        return names[self.before], names[self.now]

    @property
    def line(self) -> str:
        before, now = self.words
        return f"{self.claim}{'' if self.in_scope else ' (illustration)'} {self.model}: {before} -> {now}"


@dataclasses.dataclass(frozen=True)
class Estimate:
    """One row whose number differs in print. apart: the two intervals do not overlap."""

    claim: str
    model: str
    rule: str
    unit: str
    before: float
    now: float
    apart: bool

    @property
    def line(self) -> str:
        beyond = ", intervals apart" if self.apart else ""
        before, now = text.number(self.before), text.number(self.now)
        return f"{self.claim} {self.model}, {self.rule}: {before} -> {now} {self.unit}".rstrip() + beyond


@dataclasses.dataclass(frozen=True)
class Difference:
    """reworded: claims whose sentence or rules differ. only: claims that the first, and the second run alone states.

    compared: number of rows that both runs have a number for.
    """

    reworded: list[str]
    only: tuple[list[str], list[str]]
    verdicts: list[Verdict]
    estimates: list[Estimate]
    compared: int

    @property
    def lines(self) -> list[str]:
        apart = sum(one.apart for one in self.estimates)
        told = [f"{claim}: its sentence, margin or rules differ" for claim in self.reworded]
        for which, claims in zip(("first", "second"), self.only, strict=True):
            told += [f"{claim}: in the {which} run alone" for claim in claims]
        told += [f"VERDICTS: {len(self.verdicts)} differ", *(f"  {one.line}" for one in self.verdicts)]
        beyond = f", {apart} of them with intervals that do not overlap" if self.estimates else ""
        told.append(f"ESTIMATES: {len(self.estimates)} of {self.compared} differ{beyond}")
        return told + [f"  {one.line}" for one in self.estimates]


def compared(first: dict, second: dict) -> Difference:
    """What differs between two results documents. Claims that a run did not select count as not stated there."""
    a, b = ({claim["id"]: claim for claim in results["claims"] if claim["selected"]} for results in (first, second))
    both = [claim for claim in a if claim in b]
    verdicts = []
    for claim in both:
        before, now = a[claim]["verdicts"], b[claim]["verdicts"]
        inside = a[claim]["in_scope"] | b[claim]["in_scope"]
        verdicts += [
            Verdict(claim, model, before.get(model, ""), now.get(model, ""), inside[model])
            for model in sorted(before.keys() | now.keys())
            if before.get(model, NOT_RUN) != now.get(model, NOT_RUN)
        ]
    old, new = _rows(first), _rows(second)
    shared = [key for key in old if key in new and key[0] in both]
    estimates = [
        Estimate(key[0], key[3], key[2], new[key]["unit"], old[key]["estimate"], new[key]["estimate"], apart)
        for key in shared
        if text.number(old[key]["estimate"]) != text.number(new[key]["estimate"])
        for apart in [_apart(old[key]["ci"], new[key]["ci"])]
    ]
    return Difference(
        reworded=[claim for claim in both if a[claim]["digest"] != b[claim]["digest"]],
        only=([claim for claim in a if claim not in b], [claim for claim in b if claim not in a]),
        verdicts=sorted(verdicts, key=lambda one: not one.in_scope),
        estimates=sorted(estimates, key=lambda one: not one.apart),
        compared=len(shared),
    )


def _rows(results: dict) -> dict[tuple[str, str, str, str], dict]:
    """(claim, role, rule, model) -> a row that has a number."""
    return {
        (row["claim"], row["role"], row["rule"], row["model"]): row
        for row in results["evidence"]
        if row["estimate"] is not None
    }


SAME = ("verdict", "estimate", "ci", "sentence")
"""Fields of a row that are the same to the last digit where nothing but the code's form changed."""


def rows_apart(first: dict, second: dict) -> list[str]:
    """One line for each row that one run alone has, and for each field of `SAME` that is not the same in both."""
    old, new = ({(row["claim"], key_of(row)): row for row in results["evidence"]} for results in (first, second))
    told = [f"{claim}, {key}: in the first run alone" for claim, key in old if (claim, key) not in new]
    told += [f"{claim}, {key}: in the second run alone" for claim, key in new if (claim, key) not in old]
    for claim, key in (one for one in old if one in new):
        before, now = old[claim, key], new[claim, key]
        told += [
            f"{claim}, {key}: {field} {before[field]!r} -> {now[field]!r}"
            for field in SAME
            if before[field] != now[field]
        ]
    return told


def key_of(row: dict) -> str:
    """What makes a row itself across runs, as in the baseline."""
    return f"{row['role']} | {row['rule']} | {row['model']}"


def _apart(before: list[float] | None, now: list[float] | None) -> bool:
    return bool(before and now) and (before[1] < now[0] or now[1] < before[0])


def page(difference: Difference, first: dict, second: dict) -> str:
    """The same as one HTML file, no network."""
    from .render import environment, style  # late: they bring jinja2 and all that draws

    return (
        environment()
        .get_template("diff.html.j2")
        .render(difference=difference, runs=(first["run"], second["run"]), style=style())
    )
