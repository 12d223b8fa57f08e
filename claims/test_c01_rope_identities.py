"""C01 · §2, eqs. 1-2 · RoPE turns pairs of dimensions, so that a score depends on relative position alone.

M_m is block-diagonal with a rotation by m theta_i for pair i, and (M_m q) . (M_n k) = q . (M_{n-m} k). From this follow
the other identities below. Each is a property that hypothesis tries to break, over positions up to 2^20, theta bases,
head sizes from 2 to 256, dtypes, memory layouts and scalings, on our reference forms and on transformers' code.

A popular summary of the paper says that angles grow with the dimension index. They fall, and one rule here checks it.
"""

import functools

import pytest

from fixtures.conformance import precision, searches
from fixtures.conformance.precision import ARITHMETICS, DISTANCE, POSITIONS, score_bound
from fixtures.rope.attention import ATTENTIONS, WRONG_ATTENTIONS, wrong_attention
from fixtures.rope.identities import IDENTITIES
from fixtures.rope.implementations import IMPLEMENTATIONS
from fixtures.rope.mutants import MUTANTS, UNMUTATED
from fixtures.rope.properties import examples_at
from fixtures.verdict.claim import CLAIM_ROLE, IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.verdict.subject import Subject
from fixtures.verdict.usual_rules import identity_holds

DERIVED = (
    "one tolerance is the largest error that rounding can make, "
    "derived in fixtures/rope (half of eps times position for every angle, plus a few roundings); "
    "it is fitted to no implementation"
)


_identity = functools.partial(identity_holds, why=DERIVED)


LONG_POSITIONS = Rule(
    name="float32 at long positions",
    quantity=f"error of a score at position 2^20 and distance {DISTANCE} with float32 angles, relative to |q||k|",
    side="below",
    margin=2.0**-8,
    unit="|q||k|",
    why="bfloat16's unit roundoff: above it, float32 angles cost more than keeping vectors in bfloat16 does",
    decisive=False,
)

CLAIM = Claim(
    id="C01",
    title="RoPE is a rotation of pairs by position",
    source="§2, eqs. 1-2",
    scope=(IMPLEMENTATION,),
    statement=(
        "Scores under RoPE depend on the relative position alone; rotations keep norms, compose, "
        "invert by transposition, start at the identity, are linear, keep pairs apart, agree between memory layouts, "
        "turn slower as the pair index grows, and add no parameters. Attention weights are a distribution, "
        "and without positions they know no order."
    ),
    contradicted_if="one example breaks one identity by more than rounding can",
    unit_of_analysis="example",
    rules=(
        _identity("relative position", "(M_m q).(M_n k) = q.(M_(n-m) k)"),
        _identity("norm", "|M_m x| = |x|, up to the attention factor"),
        _identity("composition", "M_a M_b = M_(a+b)"),
        _identity("inverse", "M_m transposed = M_(-m)"),
        _identity("origin", "M_0 = identity"),
        _identity("linearity", "M_m (a x + b y) = a M_m x + b M_m y"),
        _identity("pair locality", "'nothing outside pair i moves it'"),
        _identity("layouts", "the layout, put in frequency order, against complex numbers turned by exp(i m theta)"),
        _identity("frequencies as stated", "the angle at position 1 against theta_i = base^(-2i/dims), scaled"),
        Rule(
            name="frequencies fall",
            quantity="smallest fall from a pair's frequency to the next",
            side="above",
            margin=0.001,
            unit="of the frequency",
            why="strictly falling is above 0; the slowest fall in range (base 1000, 256 dimensions) is 0.053, "
            "which bfloat16 reads to 0.02",
        ),
        Rule(
            name="no parameters",
            quantity="numbers learned or kept in a checkpoint for it",
            side="below",
            margin=0,
            unit="numbers",
            why="the paper says none",
            shift=1,
        ),
        LONG_POSITIONS,
        _identity("weights are a distribution", "'weights are not negative, 0 where not allowed, and sum to 1'"),
        _identity("output is convex", "'the output lies within the range of the allowed values'"),
        _identity("order is nothing", "the output when key-value pairs without positions are permuted"),
    ),
    notes=(
        "A tolerance bounds the worst case; random vectors stay well inside it. "
        "transformers forms cosine and sine in float32 whatever the vectors are, "
        "so its angle error is float32's even for float64 vectors."
    ),
)

every_implementation = pytest.mark.parametrize("rope", IMPLEMENTATIONS, ids=lambda rope: rope.key)
every_attention = pytest.mark.parametrize("attention", ATTENTIONS, ids=lambda attention: attention.key)


@pytest.fixture
def decide(judge, store):
    """Decide a rule by the worst example that its search finds."""

    def decide(name, search, code, role):
        rule = CLAIM.rule(name)
        worst = searches.worst(search(name, code, rule.margin, examples_at(judge.settings.scale)), store)
        judge.exact(
            rule,
            worst.value,
            of=Subject(code.key, provenance=worst.provenance, role=role),
            n=worst.n,
            test=f"worst of {worst.n} hypothesis examples",
            worst=True,
        )

    return decide


@pytest.fixture
def examine(decide):
    """Look for the worst example of an identity and decide the rule of that name by it."""

    def examine(name, rope, role=CLAIM_ROLE):
        decide(name, searches.identity, rope, role)

    return examine


@pytest.fixture
def examine_attention(decide):
    """The same for a fact about attention."""

    def examine_attention(name, attention, role=CLAIM_ROLE):
        decide(name, searches.fact, attention, role)

    return examine_attention


# Eq. 2, and what follows from it.


@every_implementation
def test_scores_depend_on_relative_position_alone(rope, examine):
    """(M_m q) . (M_n k) = q . (M_{n-m} k)"""
    examine("relative position", rope)


@every_implementation
def test_norms_are_kept(rope, examine):
    """|M_m x| = |x|"""
    examine("norm", rope)


@every_implementation
def test_rotations_compose(rope, examine):
    """M_a M_b = M_{a+b}"""
    examine("composition", rope)


@every_implementation
def test_the_transpose_is_the_inverse(rope, examine):
    """M_m^T = M_{-m}"""
    examine("inverse", rope)


@every_implementation
def test_position_zero_changes_nothing(rope, examine):
    """M_0 = I"""
    examine("origin", rope)


@every_implementation
def test_rotations_are_linear(rope, examine):
    """M_m (a x + b y) = a M_m x + b M_m y"""
    examine("linearity", rope)


@every_implementation
def test_pairs_do_not_mix(rope, examine):
    """Pair i is moved by nothing outside pair i; unrotated dimensions by nothing."""
    examine("pair locality", rope)


@every_implementation
def test_layouts_agree_under_the_fixed_permutation(rope, examine):
    """Half-split (i, i + D) and interleaved (2i, 2i + 1) are one rotation in frequency order."""
    examine("layouts", rope)


@every_implementation
def test_frequencies_are_as_stated(rope, examine):
    """theta_i = base^(-2i / dims), scaled linearly, as in Llama 3.1, or by YaRN"""
    examine("frequencies as stated", rope)


@every_implementation
def test_frequencies_fall_with_the_index(rope, examine):
    """theta_1 > theta_2 > ... > theta_D, whatever a popular summary says"""
    examine("frequencies fall", rope)


@every_implementation
def test_no_parameters_are_added(rope, examine):
    examine("no parameters", rope)


# Attention, with no positions in it.


@every_attention
def test_weights_are_a_distribution_over_the_allowed_keys(attention, examine_attention):
    examine_attention("weights are a distribution", attention)


@every_attention
def test_the_output_is_a_convex_combination_of_values(attention, examine_attention):
    examine_attention("output is convex", attention)


@every_attention
def test_without_positions_order_is_nothing(attention, examine_attention):
    examine_attention("order is nothing", attention)


# What finite precision loses at long positions, shown and not decided.


def test_what_float32_loses_at_long_positions(judge, store):
    errors = store.measured(precision.recipe()).tensors  # arithmetic -> (positions,)
    figure = {
        "kind": "lines",
        "title": "What finite precision costs at long positions",
        "alt": "Error of a RoPE score against the position, for float32 and bfloat16 arithmetic and the derived bound",
        "x": {"label": "position, tokens", "values": list(POSITIONS), "log": True},
        "y": {"label": "error of the score / |q||k|", "log": True},
        "lines": [{"label": name, "values": errors[name].tolist()} for name in ARITHMETICS]
        + [{"label": "derived bound, float32", "values": score_bound(2.0**-24).tolist(), "dashed": True}],
        "marks": [],
        "levels": [{"y": 2.0**-8, "label": "one rounding to bfloat16"}],
        "caption": (
            f"Largest error over 64 random queries and keys, {DISTANCE} tokens apart. Float32 angles are off in "
            "proportion to the position, bfloat16 vectors by as much everywhere; in bfloat16 angles, positions beyond "
            "256 are no longer told apart."
        ),
        "paper": None,
    }
    judge.exact(
        LONG_POSITIONS,
        errors["float32"][-1],
        of=Subject(IMPLEMENTATIONS[0].key),
        n=64,
        test="worst of 64 random queries and keys",
        worst=True,
        series={"error against position": figure},
    )


# Controls: each planted mistake is caught by the identity named beside it, and the right RoPE by none.


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)
def test_a_wrong_rope_is_caught(mutant, examine):
    examine(mutant.killed_by, mutant, role=NEGATIVE_CONTROL)


@pytest.mark.parametrize("name", IDENTITIES)
def test_the_exact_rope_is_not(name, examine):
    examine(name, UNMUTATED, role=POSITIVE_CONTROL)


@pytest.mark.parametrize("name", WRONG_ATTENTIONS)
def test_a_wrong_attention_is_caught(name, examine_attention):
    """rope_by_slot is no mistake but attention WITH positions, whose order is something."""
    fact, _ = WRONG_ATTENTIONS[name]
    examine_attention(fact, wrong_attention(name), role=NEGATIVE_CONTROL)
