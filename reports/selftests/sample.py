"""A results document as a run writes it: rows made and decided by the apparatus itself, from invented measurements.

It holds every case the report has to tell: many models and planted mutants, seed bands, a contradiction, an undecided
model, a failed control, a test that broke, a model that was not run and a claim that was not selected.
"""

from __future__ import annotations

import math
import random

from fixtures.verdict.claim import NEGATIVE_CONTROL, NOT_RUN, POSITIVE_CONTROL
from fixtures.verdict.evidence import Row, adjusted
from fixtures.verdict.statistics import normal_interval

from .documents import decided_row, exact_row, module_of, results, units_row
from .sample_claims import (
    HEAD_CLAIM,
    IDENTITIES,
    IDENTITY_CLAIM,
    MECHANISM_CLAIM,
    REMOVAL_CLAIM,
    ROTATION_CLAIM,
    TABLE_CLAIM,
    WEIGHT_CLAIM,
)

SMOLLM = "smollm2-135m"
PROVENANCE = {
    "title": "SmolLM2-135M-Instruct, 4-bit",
    "quantisation": "Q4_1",
    "dtype": "float32",
    "weights": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}

FAMILIES = (
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma",
    "olmo2",
    "phi3",
    "cohere:interleaved",
    "gpt_neox:partial",
    "gptj:interleaved",
)
MODELS = [
    "rope/reference:half-split",
    "rope/reference:interleaved",
    "rope/reference:yarn",
    "rope/reference:llama3",
    *[f"transformers/{name}" for name in FAMILIES],
    *[f"transformers/{name}:yarn" for name in ("llama", "mistral", "qwen2", "qwen3")],
    "transformers/llama:llama3",
    "transformers/llama:linear",
]
MUTANTS = {
    "sign-of-one-half": "norm kept",
    "layout-mixed": "pair locality",
    "frequency-off-by-one-pair": "composition",
    "table-that-wraps": "composition",
    "key-position-off-by-one": "position zero",
    "half-not-rotated": "relative position only",
    "angle-not-linear": "composition",
    "cos-sin-swapped": "position zero",
    "angle-in-degrees": "inverse",
}


def document() -> dict:
    """The whole results document; the same at every call."""
    rows = [*_identity_rows(), *_weight_rows(), *_removal_rows(), *_table_rows(), *_head_rows(), *_rotation_rows()]
    claims = [IDENTITY_CLAIM, MECHANISM_CLAIM, WEIGHT_CLAIM, REMOVAL_CLAIM, TABLE_CLAIM, HEAD_CLAIM, ROTATION_CLAIM]
    rows = adjusted(rows, {claim.id: claim for claim in claims})
    baselines: dict[str, dict[str, str] | None] = {
        "C03": {"controlled/rope-10000": "supported"},
        "C11": {f"paper/{m}": "supported" for m in ("llama-3.1-8b", "olmo-2-7b")}
        | {"paper/qwen2.5-7b": "contradicted"},
        "C06": {SMOLLM: "contradicted", "embedded/llama-s0": "supported"},
    }
    errors = {
        "C04": [
            {
                "nodeid": f"{module_of('C04')}::test_samplings_agree",
                "message": "RuntimeError: the store is full\n  in measure()",
            }
        ]
    }
    return results(claims, rows, baselines, errors, unselected=("C02",))


def _identity_rows() -> list[Row]:
    chance = random.Random(1)
    positions = [2**k for k in range(21)]
    error = {
        "kind": "lines",
        "title": "What float32 loses at long positions",
        "alt": "The worst error grows in proportion to position and "
        "stays an order of magnitude under the rounding bound.",
        "x": {"label": "position (tokens)", "values": positions, "log": True},
        "y": {"label": "worst score error (share of |q||k|)", "log": True},
        "lines": [
            {"label": name, "values": [3e-8 * p**0.93 * chance.uniform(0.7, 1.4) for p in positions]}
            for name in ("rope/reference", "transformers/llama", "transformers/cohere:interleaved")
        ]
        + [
            {
                "label": "rounding bound, 8 · eps · position",
                "values": [8 * 1.19e-7 * p for p in positions],
                "dashed": True,
            }
        ],
        "marks": [{"x": 8192, "label": "Llama 3's first context"}, {"x": 131072, "label": "Llama 3.1's context"}],
    }
    rows = [
        exact_row(
            IDENTITY_CLAIM,
            rule,
            chance.uniform(0.05, 0.6),
            400,
            "worst of 400 examples",
            worst=True,
            model=model,
            duration_s=chance.uniform(0.1, 2),
            provenance={"transformers": "5.23.0"},
            series={"error against position": error} if rule == "relative position only" else {},
        )
        for rule in IDENTITIES
        for model in MODELS
    ]
    rows += [
        exact_row(
            IDENTITY_CLAIM,
            rule,
            10 ** chance.uniform(2, 6),
            400,
            "worst of 400 examples",
            worst=True,
            model=f"mutant/{mutant}",
            role=NEGATIVE_CONTROL,
        )
        for mutant, rule in MUTANTS.items()
    ]
    rows.append(
        exact_row(
            IDENTITY_CLAIM,
            "norm kept",
            0.21,
            400,
            "worst of 400 examples",
            worst=True,
            model="planted/float64",
            role=POSITIVE_CONTROL,
        )
    )
    return rows


def _profile(chance: random.Random, edge: float) -> list[float]:
    """Mean |weight| over 64 pairs, in frequency order, rising at `edge`; flat for a negative edge."""
    return [1.2 / (1 + math.exp(-(pair - edge) / 2)) * chance.uniform(0.92, 1.08) + 0.12 for pair in range(64)]


def _weight_rows() -> list[Row]:
    chance, rows = random.Random(3), []
    for model, edge in (("controlled/rope-10000", 43), ("controlled/none", -40)):
        profile = {
            "kind": "lines",
            "title": f"Mean |weight| per pair, {model}",
            "x": {"label": "pair, fastest first", "values": list(range(1, 65))},
            "y": {"label": "mean |weight|"},
            "lines": [{"label": of, "seeds": [_profile(chance, edge) for _ in range(5)]} for of in ("query", "key")],
            "marks": [{"x": 43, "label": "Nθ = π"}] if edge > 0 else [],
            "caption": "Lines are means over five training seeds, bands their range.",
            "paper": "Fig. 1a, left: both curves start low and climb after dimension 80 of 128."
            if edge > 0
            else "Fig. 1a, right: both curves are flat.",
        }
        control = (
            {"role": NEGATIVE_CONTROL, "guards": ["controlled/rope-10000"]} if edge < 0 else {"paper": "lower, by eye"}
        )
        rows.append(
            units_row(
                WEIGHT_CLAIM,
                "first against last",
                [(0.44 if edge > 0 else 1.0) + chance.gauss(0, 0.01) for _ in range(5)],
                model=model,
                series={"weights per pair": profile},
                duration_s=148.2,
                provenance={"store": "9f2c" * 16, "sampling": "shared"},
                **control,
            )
        )
    rows.append(
        units_row(WEIGHT_CLAIM, "flat without RoPE", [chance.gauss(0, 0.02) for _ in range(5)], model="controlled/none")
    )
    for model in ("controlled/rope-10000", "controlled/none"):
        samples = [chance.gauss(0.8 if "rope" in model else 0.0, 0.05) for _ in range(5)]
        rows.append(units_row(WEIGHT_CLAIM, "trend over pairs", samples, model=model))
    rows.append(
        decided_row(
            WEIGHT_CLAIM,
            "first against last",
            None,
            verdict=NOT_RUN,
            reason="base 500000 is measured at paper scale only",
            to_run="pytest claims/ -k c03 --scale paper",
            model="controlled/rope-500000",
        )
    )
    return rows


def _removal_rows() -> list[Row]:
    chance, rows = random.Random(4), []
    removed = list(range(0, 129, 8))
    for model, spread, rope in (
        ("controlled/rope-10000", 0.01, True),
        ("controlled/rope-500000", 0.7, True),
        ("controlled/none", 0.05, False),
    ):

        def curve(edge: float) -> list[float]:
            return [0.02 + 6.9 / (1 + math.exp(-(d - edge) / 6)) * chance.uniform(0.97, 1.03) for d in removed]

        losses = {
            "kind": "lines",
            "title": f"Loss against dimensions removed, {model}",
            "x": {"label": "dimensions removed", "values": removed},
            "y": {"label": "loss (nats)"},
            "levels": [{"y": math.log(1000), "label": "a guess: log 1000"}],
            "lines": [
                {"label": "fastest first", "seeds": [curve(104 if rope else 60) for _ in range(5)]},
                {"label": "slowest first", "seeds": [curve(22 if rope else 60) for _ in range(5)]},
            ],
            "paper": "Fig. 1b: removing from the left keeps the loss near zero until about 80 dimensions are gone."
            if rope
            else None,
        }
        context = {"model": model, "duration_s": 12.5} | ({} if rope else {"role": NEGATIVE_CONTROL})
        free = [(0.0 if rope else 2.1) + chance.gauss(0, spread) + (0.3 if spread > 0.5 else 0) for _ in range(5)]
        rows.append(units_row(REMOVAL_CLAIM, "removing fast is free", free, series={"loss": losses}, **context))
        if rope:
            rows.append(
                units_row(
                    REMOVAL_CLAIM, "removing slow is not", [6.5 + chance.gauss(0, 0.2) for _ in range(5)], **context
                )
            )
    rows.append(
        units_row(
            REMOVAL_CLAIM,
            "removing slow is not",
            [0.4, 0.9, 0.5],
            model="planted/slow-only",
            role=POSITIVE_CONTROL,
            guards=["controlled/rope-500000"],
        )
    )
    return rows


def _head_rows() -> list[Row]:
    """A real model that the claim is about, one trained here, which is not, and one too weak to stand for anything."""
    chance = random.Random(6)
    cases = (
        (SMOLLM, 0.3, {"provenance": {"model": PROVENANCE}}),
        ("embedded/llama-s0", 0.8, {}),
        ("my/model", 0.3, {"illustration": "its loss is 0.4 nats under a unigram model's"}),
        ("llama-3.1-8b", None, {}),
    )
    rows = []
    for model, middle, context in cases:
        if middle is None:
            missing = {
                "reason": "its weights are not here",
                "to_run": "pytest claims/ --claim C06 --model llama-3.1-8b",
            }
            rows.append(decided_row(HEAD_CLAIM, "fast against slow", None, verdict=NOT_RUN, model=model, **missing))
            continue
        samples = [middle + chance.gauss(0, 0.02) for _ in range(12)]
        rows.append(units_row(HEAD_CLAIM, "fast against slow", samples, model=model, **context))
    samples = [0.9 + chance.gauss(0, 0.02) for _ in range(12)]
    planted = {"model": "planted/first-half-used", "role": NEGATIVE_CONTROL}
    return [*rows, units_row(HEAD_CLAIM, "fast against slow", samples, **planted)]


AXES = "defect: two halves of a pair follow different axes"


def _rotation_rows() -> list[Row]:
    return [
        exact_row(
            ROTATION_CLAIM,
            "identities",
            3.5 if name in ("b", "e") else 0.2,
            24,
            "worst of all identities",
            worst=True,
            model=f"transformers/{name}",
            note=f"rotation at {name}; {AXES}" if name in ("b", "e") else "",
            deviations=[AXES] if name in ("b", "e") else [],
        )
        for name in "abcdefg"
    ]


_MEANS = {
    "llama-3.1-8b": (54.09, 54.95, 53.39, -24.45),
    "olmo-2-7b": (56.66, 56.86, 56.90, -12.25),
    "qwen2.5-7b": (58.72, 61.31, 56.53, 2.56),
}


def _table_rows() -> list[Row]:
    rows = []
    for model, (none, first16, first32, nearest) in _MEANS.items():
        key = f"paper/{model}"
        audit = {
            "kind": "table",
            "title": f"Table 2 recomputed, {model}",
            "columns": ["masked", "printed mean", "mean of columns", "rounds to it"],
            "rows": [
                ["none", none, round(none + 0.003, 4), True],
                ["[:16]", first16, round(first16 - 0.002, 4), True],
                ["[:32]", first32, None, "–"],
            ],
            "caption": "Accuracy in percent.",
        }
        for rule, value, paper in (
            ("means", 0.004, "printed to two decimals"),
            ("sentence a", first16 - none, first16),
            ("sentence b", none - first32, first32),
            ("sentence d", nearest, None),
        ):
            rows.append(
                exact_row(
                    TABLE_CLAIM,
                    rule,
                    value,
                    1,
                    "arithmetic",
                    model=key,
                    paper=paper,
                    series={f"audit {model}": audit} if rule == "means" else {},
                    provenance={"table": "2", "cells": {"none": none, "[:16]": first16}},
                )
            )
        measured = normal_interval(first16 - none, 0.79, "above", 0.0, 0.05, 2655, "normal interval, binomial errors")
        rows.append(decided_row(TABLE_CLAIM, "sentence a, inferred", measured, model=key))
    return rows
