"""A document in which every text that others may supply is one given text."""

from __future__ import annotations

import dataclasses

from fixtures.verdict.claim import INCONCLUSIVE, NEGATIVE_CONTROL, NOT_RUN, PRETRAINED, TRAINED_HERE, Prior
from fixtures.verdict.evidence import adjusted

from .documents import decided_row, results, units_row
from .sample_claims import WEIGHT_CLAIM


def hostile_document(text: str) -> dict:
    """A document in which every text that a model, a data set or a broken test may supply is `text`."""
    base = dataclasses.replace(WEIGHT_CLAIM, scope=(TRAINED_HERE, PRETRAINED), notes=text, prior=Prior("high", text))
    spec = {
        "kind": "lines",
        "title": text,
        "alt": text,
        "x": {"label": text, "values": [1, 2, 3]},
        "y": {"label": text},
        "lines": [
            {"label": text, "values": [1, None, 3]},
            {"label": text, "seeds": [[1, 2, 3], [2, 3, 4]], "dashed": True},
        ],
        "marks": [{"x": 2, "label": text}],
        "levels": [{"y": 2, "label": text}],
        "caption": text,
        "paper": text,
    }
    table = {"kind": "table", "title": text, "columns": [text], "rows": [[text]], "caption": text, "paper": text}
    scatter = {
        "kind": "scatter",
        "title": text,
        "alt": text,
        "x": {"label": text},
        "y": {"label": text},
        "groups": [
            {"label": text, "x": [1, 2], "y": [1, 2], "names": [text, text], "fit": {"slope": 1, "intercept": 0}}
        ],
        "marks": spec["marks"],
        "levels": spec["levels"],
        "caption": text,
        "paper": text,
    }
    heatmap = {
        "kind": "heatmap",
        "title": text,
        "alt": text,
        "x": {"label": text, "values": [1, 2]},
        "y": {"label": text, "values": [text]},
        "values": [[None, 1]],
        "low": 0,
        "high": 1,
        "unit": text,
        "marks": [{"x": 1.5, "label": text}, {"x": 9, "label": text}],
        "caption": text,
        "paper": text,
    }
    doses = spec | {
        "x": {"label": text, "values": [1, 2], "labels": [text, text]},
        "lines": [{"label": text, "values": [1, 2], "low": [0, None], "high": [2, 3]}],
    }
    rows = [
        units_row(
            base,
            "first against last",
            [0.4, 0.5, 0.45],
            model=text,
            provenance={text: [text, {text: text}]}
            | {"model": dict.fromkeys(("title", "quantisation", "dtype", "weights"), text)},
            paper={text: text},
            series={text: spec, f"{text} 1": table, f"{text} 2": scatter, f"{text} 3": heatmap, f"{text} 4": doses},
            deviations=[text],
            nodeid=text,
        ),
        decided_row(base, "first against last", None, verdict=INCONCLUSIVE, reason=text, model=f"other {text}"),
        units_row(base, "first against last", [0.4, 0.5, 0.45], model=f"weak {text}", illustration=f"weak {text}"),
        decided_row(
            base,
            "first against last",
            None,
            verdict=NOT_RUN,
            reason=text,
            to_run=text,
            model=f"third {text}",
        ),
        units_row(base, "first against last", [1.0, 1.1, 1.05], model=text, role=NEGATIVE_CONTROL, guards=[text]),
    ]
    made = results(
        [base],
        adjusted(rows, {base.id: base}),
        {base.id: {text: "contradicted", f"gone {text}": "supported"}},
        {base.id: [{"nodeid": text, "message": text}]},
    )
    made["run"]["versions"][text], made["run"]["options"][text], made["run"]["hardware"][text] = (
        text,
        [text],
        {text: text},
    )
    made["run"]["problems"].append(text)
    made["run"]["commit"] = text
    made["run"]["files"] = [{"name": "heads.csv", "about": text}]
    return made
