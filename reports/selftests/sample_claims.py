"""Claims that the sample documents are about: some of the suite's own, shortened, with rules of every kind."""

from __future__ import annotations

from fixtures.verdict.claim import IMPLEMENTATION, PRETRAINED, PRINTED, TRAINED_HERE, Claim, Prior, Rule

IDENTITIES = {
    "relative position only": "worst score error between two pairs of positions with the same offset",
    "norm kept": "worst change of a vector's norm",
    "composition": "worst error of turning twice against turning once by the sum",
    "inverse": "worst error after turning back",
    "position zero": "worst change at position 0",
    "pair locality": "worst influence of one pair on another",
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
