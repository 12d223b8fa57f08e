"""A results document as a run writes it: rows made and decided by the apparatus itself, from invented measurements.

It holds every case the report has to tell: many models and planted mutants, seed bands, a contradiction, an undecided
model, a failed control, a test that broke, a model that was not run and a claim that was not selected.
"""

from __future__ import annotations

import dataclasses
import math
import random

from fixtures.verdict.claim import (
    IMPLEMENTATION,
    INCONCLUSIVE,
    NEGATIVE_CONTROL,
    NOT_RUN,
    POSITIVE_CONTROL,
    PRETRAINED,
    PRINTED,
    TRAINED_HERE,
    Claim,
    Prior,
    Rule,
)
from fixtures.verdict.evidence import Row, adjusted, final_verdicts, in_scope, make_row
from fixtures.verdict.statistics import exact, mean_of_units, normal_interval
from fixtures.verdict.tiers import tier_of
from reports import speed
from reports.check import digest

IDENTITIES = {
    "relative position only": "worst score error between two pairs of positions with the same offset",
    "norm kept": "worst change of a vector's norm",
    "composition": "worst error of turning twice against turning once by the sum",
    "inverse": "worst error after turning back",
    "position zero": "worst change at position 0",
    "pair locality": "worst influence of one pair on another",
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

IDENTITY_CLAIM = Claim(
    id="C01",
    title="RoPE is a rotation and sees relative position only",
    source="§2, eqs. 1–2",
    scope=(IMPLEMENTATION,),
    statement="Turning query and key by their positions makes their score depend on the distance alone; norms are "
    "kept, turns compose and invert, no pair touches another, and no parameter is added.",
    contradicted_if="an identity is off by more than rounding allows at any position below 2^20",
    unit_of_analysis="example",
    rules=tuple(
        Rule(
            name,
            quantity,
            "below",
            1.0,
            "of the rounding bound",
            "8 · eps · position bounds what rounding alone can do in float32",
        )
        for name, quantity in IDENTITIES.items()
    ),
    notes="A popular summary says that angles grow with the dimension index; the frequencies fall strictly.",
)

MECHANISM_CLAIM = Claim(
    id="C02",
    title="A fast pair guarantees nothing at a distance",
    source="§3",
    scope=(IMPLEMENTATION, PRINTED),
    statement="The share of its contribution that a pair can guarantee over a range N is at most the Dirichlet kernel's "
    "modulus, and falls from 1 to about 0 as Nθ grows past 2π.",
    contradicted_if="a pair beats the bound",
    unit_of_analysis="pair",
    rules=(
        Rule(
            "bound holds", "largest excess over the bound", "below", 1e-9, "", "an identity, up to rounding in float64"
        ),
    ),
    prior=Prior("high", "long distances mean large angles for the first dimensions"),
)

WEIGHT_CLAIM = Claim(
    id="C03",
    title="RoPE starves the first dimensions",
    source="§4, fig. 1a",
    scope=(TRAINED_HERE,),
    statement="Trained to retrieve with RoPE, a head gives its fastest dimensions smaller query and key weights; "
    "without RoPE the weights are flat.",
    contradicted_if="the fastest quarter weighs as much as the slowest, or more",
    unit_of_analysis="training seed",
    rules=(
        Rule(
            "first against last",
            "mean |weight| of the fastest 32 dimensions over the slowest 32",
            "below",
            0.8,
            "ratio",
            "a fifth less is visible in the paper's figure; the prototype gave 0.44",
        ),
        Rule(
            "flat without RoPE",
            "the same ratio, less 1",
            "within",
            0.1,
            "ratio",
            "half of the smallest effect that would matter",
            decisive=False,
        ),
        Rule(
            "trend over pairs",
            "Spearman correlation of weight and pair index",
            "above",
            0.3,
            "",
            "below it a trend explains under a tenth",
            decisive=False,
            family="trend",
        ),
    ),
    families={"trend": 4},
    prior=Prior("high", "the first dimensions get lower weights"),
)

REMOVAL_CLAIM = Claim(
    id="C04",
    title="Fast dimensions are free to remove",
    source="§4, fig. 1b, eq. 3",
    scope=(TRAINED_HERE,),
    statement="With RoPE, removing the first dimensions hardly changes the loss while removing the last raises it "
    "steeply; without RoPE the two directions do not differ.",
    contradicted_if="removing the first 32 dimensions costs more than a tenth of what removing the last 32 costs",
    unit_of_analysis="training seed",
    rules=(
        Rule(
            "removing fast is free",
            "loss rise without the 32 fastest dimensions",
            "below",
            0.65,
            "nats",
            "10% of the 6.5 nats that removing the slowest 32 costs in the prototype",
        ),
        Rule(
            "removing slow is not",
            "loss rise without the 32 slowest dimensions",
            "above",
            0.65,
            "nats",
            "the same margin, from the other side",
        ),
    ),
    prior=Prior("medium", "low utility in downstream tasks falls on the first dimensions"),
)

TABLE_CLAIM = Claim(
    id="C11",
    title="The paper's tables say what its sentences say",
    source="§5, tables 1–3",
    scope=(PRINTED,),
    statement="Every mean is the mean of its three columns, and sentences (a) to (d) of §5.4 follow from the "
    "printed numbers.",
    contradicted_if="a printed number is against the sentence",
    unit_of_analysis="question",
    rules=(
        Rule(
            "means",
            "largest distance of a printed mean from the mean of its columns",
            "below",
            0.01,
            "points",
            "two decimals are printed",
        ),
        Rule(
            "sentence a",
            "gain of the mean when [:16] is masked",
            "above",
            0.0,
            "points",
            "'slightly raises' is a sign",
            shift=1.1,
        ),
        Rule("sentence b", "loss of the mean when [:32] is masked", "below", 2.2, "points", "the paper's own number"),
        Rule(
            "sentence d",
            "drop at the 20th document less the drop at the 10th, [-16:] masked",
            "below",
            0.0,
            "points",
            "'hurts less' is a sign",
            shift=1.1,
        ),
        Rule(
            "sentence a, inferred",
            "gain of the mean when [:16] is masked",
            "above",
            0.0,
            "points",
            "is it more than sampling 2655 questions",
            decisive=False,
            shift=1.1,
            family="inference",
        ),
    ),
    families={"inference": 3},
    prior=Prior("low", "pruning pays across tasks"),
)


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
                "nodeid": f"{_module('C04')}::test_samplings_agree",
                "message": "RuntimeError: the store is full\n  in measure()",
            }
        ]
    }
    return results(claims, rows, baselines, errors, unselected=("C02",))


def results(
    claims: list[Claim],
    rows: list[Row],
    baselines: dict[str, dict[str, str] | None] | None = None,
    errors: dict[str, list[dict]] | None = None,
    unselected: tuple[str, ...] = (),
) -> dict:
    """A document of these claims and rows, as the run's own writer makes it."""
    stated = []
    for claim in claims:
        entry = claim.to_json() | {
            "digest": claim.digest,
            "complete": claim.id not in unselected,
            "selected": claim.id not in unselected,
            "errors": (errors or {}).get(claim.id, []),
            "baseline": (baselines or {}).get(claim.id),
            "baseline_digest": claim.digest if (baselines or {}).get(claim.id) else None,
            "command": f"pytest claims/ -k {claim.id.lower()}",
        }
        own = [row for row in rows if row.claim == claim.id]
        said = final_verdicts(own, complete=entry["complete"], errors=bool(entry["errors"]))
        tiers = {model: tier_of(model) for model in said}
        stated.append(entry | {"verdicts": said, "tiers": tiers, "in_scope": in_scope(own)})
    return sealed(
        {
            "schema_version": 1,
            "run": {
                "started": "2026-03-02T09:14:05+00:00",
                "duration_s": 412.7,
                "manifest": [claim.id for claim in claims],
                "commit": "6330460c9f0e",
                "versions": {
                    "python": "3.11.9",
                    "torch": "2.13.0",
                    "transformers": "5.23.0",
                    "scipy": "1.17.1",
                    "numpy": "2.4.6",
                },
                "hardware": {
                    "machine": "x86_64",
                    "processor": "a laptop's",
                    "cores": 2,
                    "memory_gib": 15.6,
                    "gpu": None,
                },
                "options": {
                    "scale": "default",
                    "sampling": "shared",
                    "seeds": 5,
                    "claim": [],
                    "baseline": "reports/baseline.json",
                },
                "exit": 1,
                "digest": "",
                "problems": ["C04, controlled/rope-500000: inconclusive, and the baseline holds no verdict for it"],
                "counts": {"selected": 161, "passed": 156, "failed": 3, "skipped": 2, "deselected": 12, "lost": 0},
            },
            "claims": stated,
            "evidence": [row.to_json() for row in sorted(rows, key=lambda row: (row.claim, row.key))],
        }
    )


def add_verdict(claim: dict, model: str, verdict: str) -> None:
    """One more model of a claim, with all that a claim says of its models."""
    claim["verdicts"][model], claim["tiers"][model] = verdict, tier_of(model)
    claim["in_scope"][model] = tier_of(model) in claim["scope"]


def sealed(results: dict) -> dict:
    """The document with the digest of what it holds: what a careful forger would do as well."""
    results["run"]["digest"] = digest(results["claims"], results["evidence"])
    return results


def _module(claim: str) -> str:
    return f"claims/test_{claim.lower()}_sample.py"


def _row(claim: Claim, rule: str, measured, **context) -> Row:
    return make_row(
        claim, claim.rule(rule), measured, **({"nodeid": f"{_module(claim.id)}::test_{rule.split()[0]}"} | context)
    )


def _exact(claim: Claim, rule: str, value: float, n: int, test: str, worst: bool = False, **context) -> Row:
    decided = claim.rule(rule)
    return _row(claim, rule, exact(value, n, decided.side, decided.margin, test, worst), **context)


def _units(claim: Claim, rule: str, samples: list[float], **context) -> Row:
    decided = claim.rule(rule)
    measured = mean_of_units(samples, decided.side, decided.margin, claim.alpha)
    return _row(claim, rule, measured, seeds=list(range(len(samples))), **context)


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
        _exact(
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
        _exact(
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
        _exact(
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
            _units(
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
        _units(WEIGHT_CLAIM, "flat without RoPE", [chance.gauss(0, 0.02) for _ in range(5)], model="controlled/none")
    )
    for model in ("controlled/rope-10000", "controlled/none"):
        samples = [chance.gauss(0.8 if "rope" in model else 0.0, 0.05) for _ in range(5)]
        rows.append(_units(WEIGHT_CLAIM, "trend over pairs", samples, model=model))
    rows.append(
        _row(
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
        rows.append(_units(REMOVAL_CLAIM, "removing fast is free", free, series={"loss": losses}, **context))
        if rope:
            rows.append(
                _units(REMOVAL_CLAIM, "removing slow is not", [6.5 + chance.gauss(0, 0.2) for _ in range(5)], **context)
            )
    rows.append(
        _units(
            REMOVAL_CLAIM,
            "removing slow is not",
            [0.4, 0.9, 0.5],
            model="planted/slow-only",
            role=POSITIVE_CONTROL,
            guards=["controlled/rope-500000"],
        )
    )
    return rows


HEAD_CLAIM = Claim(
    id="C06",
    title="Retrieval heads do without their fastest dimensions",
    source="§5.2, eq. 4, figs. 3–6",
    scope=(PRETRAINED,),
    statement="In heads that retrieve, the utility of the fastest dimensions is lower than that of the slowest, and so are "
    "their norms.",
    contradicted_if="the fastest quarter is used as much as the slowest",
    unit_of_analysis="head",
    rules=(
        Rule("fast against slow", "mean utility of the fastest quarter", "below", 0.5, "share", "half is a difference"),
    ),
)

ROTATION_CLAIM = Claim(
    id="R01",
    title="Every RoPE in transformers is a rotation",
    source="eqs. 1–2",
    scope=(IMPLEMENTATION,),
    statement="Every implementation turns pairs by an angle that grows with the position.",
    contradicted_if="an identity is off by more than rounding can explain",
    unit_of_analysis="identity and dtype",
    rules=(Rule("identities", "worst of all identities", "below", 1.0, "tolerances", "rounding"),),
)

SMOLLM = "smollm2-135m"
PROVENANCE = {
    "title": "SmolLM2-135M-Instruct, 4-bit",
    "quantisation": "Q4_1",
    "dtype": "float32",
    "weights": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}


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
            rows.append(_row(HEAD_CLAIM, "fast against slow", None, verdict=NOT_RUN, model=model, **missing))
            continue
        samples = [middle + chance.gauss(0, 0.02) for _ in range(12)]
        rows.append(_units(HEAD_CLAIM, "fast against slow", samples, model=model, **context))
    samples = [0.9 + chance.gauss(0, 0.02) for _ in range(12)]
    planted = {"model": "planted/first-half-used", "role": NEGATIVE_CONTROL}
    return [*rows, _units(HEAD_CLAIM, "fast against slow", samples, **planted)]


def _rotation_rows() -> list[Row]:
    return [
        _exact(
            ROTATION_CLAIM,
            "identities",
            3.5 if name in ("b", "e") else 0.2,
            24,
            "worst of all identities",
            worst=True,
            model=f"transformers/{name}",
            note=f"rotation at {name}; defect: two halves of a pair follow different axes"
            if name in ("b", "e")
            else "",
        )
        for name in "abcdefg"
    ]


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
            _units(
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
                _exact(
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
        rows.append(_row(TABLE_CLAIM, "sentence a, inferred", measured, model=key))
    return rows


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
        _units(
            base,
            "first against last",
            [0.4, 0.5, 0.45],
            model=text,
            provenance={text: [text, {text: text}]},
            paper={text: text},
            series={text: spec, f"{text} 1": table, f"{text} 2": scatter, f"{text} 3": heatmap, f"{text} 4": doses},
            nodeid=text,
        ),
        _row(base, "first against last", None, verdict=INCONCLUSIVE, reason=text, model=f"other {text}"),
        _units(base, "first against last", [0.4, 0.5, 0.45], model=f"weak {text}", illustration=f"weak {text}"),
        _row(
            base,
            "first against last",
            None,
            verdict=NOT_RUN,
            reason=text,
            to_run=text,
            model=f"third {text}",
        ),
        _units(base, "first against last", [1.0, 1.1, 1.05], model=text, role=NEGATIVE_CONTROL, guards=[text]),
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


ON_SPEED = int(bool((speed.load() or {}).get("growth")))
"""Figures that every report holds besides those of its evidence: the page on speed draws its growth curves."""
