"""R05 · Your own RoPE, given by --rope MODULE:NAME, is a rotation by relative position with the frequencies it should have.

A function, class or object in a common signature is understood by its parameters' names and by trying; base, head size and
layout are read off it, or taken from options. It then meets every identity of C01 over settings, positions and dtypes that
hypothesis draws and shrinks, and the ways of calling of R03. What stands here without --rope are RoPEs in fourteen styles,
all right, which must be understood and not accused, and wrong ones, each of which one rule must name.
"""

import pytest

from fixtures.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.conformance import OWN_WRONG, wishes_of
from fixtures.rope.identities import IDENTITIES, SMALLEST_IS_WORST
from fixtures.rope.properties import examples_at, worst_over

DERIVED = "one tolerance is the largest error that rounding can make, derived in fixtures/rope/identities.py"


def _identity(name: str, quantity: str) -> Rule:
    return Rule(name, f"largest error of {quantity}", "below", 1.0, "tolerances", DERIVED)


CLAIM = Claim(
    id="R05",
    title="Your own RoPE is a rotation",
    source="§2, eqs. 1-2, against an implementation given by --rope",
    scope=(IMPLEMENTATION,),
    statement="Scores under it depend on relative position alone, in every dtype it takes; it keeps norms, composes, inverts "
    "by transposition, is linear, keeps pairs apart, turns by the frequencies of its base, and forgets earlier calls.",
    contradicted_if="one example breaks one identity by more than rounding can, or a call leaves a trace",
    unit_of_analysis="example",
    rules=(
        _identity("relative position", "(M_m q).(M_n k) = q.(M_(n-m) k)"),
        _identity("norm", "|M_m x| = |x|, up to its scale"),
        _identity("composition", "M_a M_b = M_(a+b)"),
        _identity("inverse", "M_m transposed = M_(-m)"),
        _identity("origin", "M_0 = identity, up to output order and start"),
        _identity("linearity", "M_m (a x + b y) = a M_m x + b M_m y"),
        _identity("pair locality", "pair i is moved by nothing outside pair i"),
        _identity("layouts", "the layout, put in frequency order, against complex numbers turned by exp(i m theta)"),
        _identity("frequencies as stated", "the angle at position 1 against theta_i = base^(-2i/dims)"),
        Rule("frequencies fall", "smallest fall from a pair's frequency to the next", "above", 0.001, "of the frequency",
             "as in C01: strictly falling is above 0, and the slowest fall in range is 0.05"),
        Rule("no parameters", "numbers that an optimiser would train", "below", 0, "numbers", "the paper says none",
             shift=1),
        Rule("no memory", "worst change of a rotated vector by history, dtype of an earlier call, or cutting", "below", 1.0,
             "tolerances", "two turns' rounding of float32 angles, as in R03"),
        Rule("understood", "whether no way of calling it works", "below", 0, "", "what cannot be called cannot be right",
             shift=1),
        Rule("layout as asked", "pairs that are not those of --rope-layout", "below", 0, "pairs",
             "a layout is right or wrong", shift=1),
        Rule("checkpoint", "change of a score by permuting a checkpoint and turning it the other way", "below", 1.0,
             "tolerances", "the rounding of float32 projections, turns and scores (fixtures/rope/checkpoints.py)"),
        Rule("casting", "change of a rotated bfloat16 vector by module.to(bfloat16)", "below", 1.0, "tolerances",
             "as in R06; shown beside, since nearly every module's buffers are cast", decisive=False),
    ),
    notes="How it was understood stands in the provenance and at the end of the run. Equivalent differences (layout, sign, "
    "scale, output order, start) are read off and not held against it. Identities at positions below 0 are left out where "
    "it takes none.",
)  # fmt: skip


@pytest.fixture
def check(judge):
    """Understand a RoPE and judge everything of it, or the named rules; the rows are recorded before the test fails."""

    def check(spec, wishes, only=None, **context):
        from fixtures.controlled import one_thread
        from fixtures.rope import own as apparatus
        from fixtures.rope.sweep import cast, state

        one_thread()
        failures = []

        def row(rule, value, **more):
            if only is None or rule in only:
                try:
                    judge.exact(rule, value, **{"n": 1, "test": "count"} | more | context)
                except pytest.fail.Exception as failure:
                    failures.append(str(failure))

        context.setdefault("model", f"rope/{spec}")
        try:
            own = apparatus.understand(spec, wishes)
        except apparatus.OwnError as error:
            row("understood", 1, note=str(error))
            pytest.fail("\n".join(failures) or str(error), pytrace=False)
        context["provenance"] = {"understood": own.understood}
        row("understood", 0)
        if own.reading.fault or not len(own.reading.pairs):
            row("pair locality", 1e9, note=own.reading.fault or "no dimension turns")
            pytest.fail("\n".join(failures), pytrace=False)
        # the suite's own are many and simple: a fifth of the examples each, so that yours is what takes time
        count = examples_at(judge.settings.scale) // (1 if spec in judge.settings.rope else 5)
        for name in left(own):
            if only is None or name in only:
                worst = worst_over(
                    lambda example, name=name: IDENTITIES[name](own.build(example.setting), example), own.examples(),
                    CLAIM.rule(name).margin, max(count, 5), above=name in SMALLEST_IS_WORST,
                )  # fmt: skip
                row(name, min(worst.value, 1e9), n=worst.n, test=f"worst of {worst.n} hypothesis examples",
                    note=f"smallest example: {worst.falsified}" if worst.falsified else "")  # fmt: skip
        driver = own.driver(own.head_dim, own.base)
        errors = {what: error for what, error in state(driver).items() if isinstance(error, float)}
        row(
            "no memory",
            max(errors.values()),
            n=len(errors),
            note=max(errors, key=errors.get) if max(errors.values()) > 1 else "",
        )
        if wishes.layout is not None:
            differ = apparatus.layout_differs(own, wishes.layout)
            row("layout as asked", differ, note=f"it is {own.reading.layout}" if differ else "")
        if driver.module is not None and isinstance(moved := cast(driver), dict):
            row("casting", moved["error"], note=f"at {own.head_dim} dimensions")
        if failures:
            pytest.fail("\n".join(failures), pytrace=False)

    return check


def left(own):
    """The identities that can be asked of it."""
    asked = [name for name in IDENTITIES if own.negative or name != "inverse"]
    return [name for name in asked if own.frequencies_theirs or name != "frequencies as stated"]


def test_your_own(own_rope, check, judge):
    check(own_rope, wishes_of(judge.settings, own_rope))


# Controls: what must be caught, by the rule that names the fault.


@pytest.mark.parametrize("name", OWN_WRONG)
def test_control_a_wrong_one_is_caught(name, check):
    check(
        f"fixtures.rope.styles.wrong:{name}",
        wishes(),
        only=(OWN_WRONG[name],),
        model=f"planted/{name}",
        role=NEGATIVE_CONTROL,
    )


@pytest.mark.parametrize(("layout", "role"), [("interleaved", POSITIVE_CONTROL), ("half-split", NEGATIVE_CONTROL)])
def test_control_a_layout_that_is_asked_for(layout, role, check):
    spec = "fixtures.rope.styles.functions:pairs_by_name"
    check(spec, wishes(layout=layout), only=("layout as asked",), model=f"planted/asked-{layout}", role=role)


@pytest.mark.parametrize(("base", "role"), [(10_000.0, POSITIVE_CONTROL), (500_000.0, NEGATIVE_CONTROL)])
def test_control_a_base_that_is_asked_for(base, role, check):
    """complex_plane has 10000 written into it."""
    spec = "fixtures.rope.styles.functions:complex_plane"
    check(spec, wishes(base=base), only=("frequencies as stated",), model=f"planted/asked-{base:g}", role=role)


@pytest.mark.parametrize(
    ("name", "permuted", "role"),
    [("both", (True, True), POSITIVE_CONTROL), ("neither", (False, False), NEGATIVE_CONTROL),
     ("query", (True, False), NEGATIVE_CONTROL)],
)  # fmt: skip
def test_control_a_permuted_checkpoint(name, permuted, role, judge):
    """Queries and keys permuted as for GGUF and turned interleaved give Llama's scores; unpermuted, or one alone, do not."""
    from fixtures.rope.checkpoints import score_error

    judge.exact(
        "checkpoint",
        score_error(*permuted),
        n=1,
        test="largest over tokens",
        model=f"planted/permuted-{name}",
        role=role,
    )


def wishes(**said):
    from fixtures.rope.own import Wishes

    return Wishes(**said)
