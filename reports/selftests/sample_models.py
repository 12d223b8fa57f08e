"""A document with every figure that claims on language models bring, from invented heads of models of any shape."""

from __future__ import annotations

import math
import random

from fixtures.verdict.evidence import adjusted

from .documents import results, units_row
from .sample_claims import HEAD_CLAIM

_ANSWERS = (
    "Wilhelm Conrad Röntgen",
    "According to the documents, the first Nobel Prize in Physics was awarded in 1901 to Wilhelm Conrad Röntgen, of "
    "Germany, who received 150,782 SEK, which is equal to 7,731,004 SEK in December 2007.\n\nJohn Bardeen is the only "
    "laureate to win the prize twice, in 1956 and 1972.",
    "לא נמצאה תשובה במסמכים; the documents do not say who it was, although document [7] names a laureate of 1903.",
    "https://example.org/" + "a" * 300,
)


def language_models(models: dict[str, tuple[int, int, int]]) -> dict:
    """A document with every figure a claim on language models brings; model -> (layers, heads a layer, dimensions)."""
    rows = []
    for model, (layers, heads, dimensions) in models.items():
        samples = [random.Random(f"{model} {k}").gauss(0.3, 0.02) for k in range(12)]
        rows.append(
            units_row(
                HEAD_CLAIM,
                "fast against slow",
                samples,
                model=model,
                series=head_figures(model, layers, heads, dimensions),
            )
        )
    made = results([HEAD_CLAIM], adjusted(rows, {HEAD_CLAIM.id: HEAD_CLAIM}))
    made["run"]["files"] = [
        {
            "name": f"heads/{model.replace('/', '-')}.npz",
            "about": f"utility, norms and copy scores of each head of {model}",
        }
        for model in models
    ] + [{"name": "heads.csv", "about": "the same, a row for each head"}]
    return made


def head_figures(model: str, layers: int, heads: int, dimensions: int) -> dict[str, dict]:
    """Series of every kind, from invented heads of a model of this shape."""
    chance = random.Random(f"{model} heads")
    names = [f"L{layer} H{head}" for layer in range(layers) for head in range(heads)]
    edges = [chance.uniform(0.2, 0.75) * dimensions for _ in names]
    utility = [
        [
            round(min(1.0, max(0.0, 1 / (1 + math.exp((edge - d) / 4)) + chance.gauss(0, 0.08))), 3)
            for d in range(dimensions)
        ]
        for edge in edges
    ]
    utility[len(utility) // 3] = [None] * dimensions
    score = [
        round(abs(chance.gauss(0, 0.04)) + (0.5 * chance.random() if chance.random() < 0.05 else 0), 4) for _ in names
    ]
    quarter = dimensions // 4
    ends = {
        "fastest quarter": [
            round(sum(1 / (1 + math.exp((e - d) / 4)) for d in range(quarter)) / quarter, 4) for e in edges
        ],
        "slowest quarter": [round(chance.gauss(0.8, 0.07) + 0.3 * s, 4) for s, _ in zip(score, edges, strict=True)],
    }
    doses = ["none", "[:16] masked", "[:32] masked", "[-16:] masked", "random 16 masked", "random 32 masked"]
    accuracy = [round(70 - 3 * k + chance.gauss(0, 2), 2) for k in range(len(doses))]
    return {
        "utility": {
            "kind": "heatmap",
            "title": f"Utility of each dimension in each head, {model}",
            "x": {"label": "dimension, fastest first", "values": list(range(1, dimensions + 1))},
            "y": {"label": "head", "values": names},
            "values": utility,
            "low": 0,
            "high": 1,
            "unit": "utility",
            "marks": [{"x": dimensions * 0.68, "label": "Nθ = π"}],
            "caption": "A row is a head. The head without queries has no values.",
            "paper": "Fig. 6: dark on the left.",
        },
        "score against utility": {
            "kind": "scatter",
            "title": f"Retrieval score against utility, {model}",
            "x": {"label": "utility of the fastest and the slowest quarter"},
            "y": {"label": "attention from the answer to the gold passage"},
            "groups": [
                {
                    "label": label,
                    "x": x,
                    "y": score,
                    "names": names,
                    "fit": {"slope": 0.05 * (1 if "slow" in label else -1), "intercept": 0.05},
                }
                for label, x in ends.items()
            ],
            "levels": [{"y": 0.1, "label": "a retrieval head"}],
            "marks": [{"x": 0.5, "label": "half"}],
            "paper": "Fig. 3: points in the upper left.",
        },
        "norm against utility": {
            "kind": "scatter",
            "title": f"Row norms against utility, {model}",
            "x": {"label": "L1 norm of the rows", "log": True},
            "y": {"label": "utility", "log": True},
            "groups": [
                {
                    "label": "all heads",
                    "x": [round(10 ** (2 * s + chance.gauss(0, 0.2)), 4) for s in ends["slowest quarter"]],
                    "y": [max(0.0, round(s, 4)) for s in score],
                    "fit": {"slope": 0.0005, "intercept": 0.02},
                },
            ],
        },
        "accuracy": {
            "kind": "lines",
            "title": f"Accuracy under masks, {model}",
            "x": {"label": "what is masked", "values": list(range(len(doses))), "labels": doses},
            "y": {"label": "accuracy (%)"},
            "lines": [
                {
                    "label": of,
                    "values": [a + gain for a in accuracy],
                    "low": [a + gain - 2.1 for a in accuracy],
                    "high": [a + gain + 1.9 for a in accuracy],
                }
                for of, gain in (("gold document first", 4.0), ("in the middle", -3.0), ("last", 2.0))
            ],
            "caption": "Bars are 95% score intervals over questions.",
        },
        "loss by position": {
            "kind": "lines",
            "title": f"Answer loss by position of the document, {model}",
            "x": {"label": "tokens from the answer", "values": list(range(0, 4000, 40))},
            "y": {"label": "loss (nats)"},
            "lines": [
                {
                    "label": "answer",
                    "values": [round(1 + k / 100, 3) for k in range(100)],
                    "low": [round(0.8 + k / 120, 3) for k in range(100)],
                    "high": [round(1.2 + k / 90, 3) for k in range(100)],
                },
                {"label": "question", "values": [round(2 - k / 150, 3) for k in range(100)], "dashed": True},
            ],
        },
        "answers": {
            "kind": "table",
            "title": f"Answers that changed under the mask, {model}",
            "columns": ["question", "gold", "answer without mask", "answer with [:16] masked", "correct"],
            "rows": [
                [
                    f"who got the {k}th nobel prize in physics",
                    "Wilhelm Conrad Röntgen",
                    answer,
                    _ANSWERS[-1 - k],
                    k % 2 == 0,
                ]
                for k, answer in enumerate(_ANSWERS)
            ],
        },
    }
