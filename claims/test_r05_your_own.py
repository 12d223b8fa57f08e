"""R05 · Your own RoPE, given by --rope MODULE:NAME, is a rotation by relative position, however attention calls it.

A function, class or object is understood by its parameters' names and by trying, or by --rope-call. Its base, head
size, layout and the rule of its frequencies are read off it, or compared with --rope-config. It is called in every way
in which attention calls a RoPE (rows, views, fewer key heads, long calls, decoding, ...). Then it meets every identity
of C01, over settings, positions and dtypes that hypothesis draws and shrinks. Your code runs in a process of its own,
within a time limit.

The controls are RoPEs as people write and call them. The right ones must be understood and not accused. Of each wrong
one, some rule must name the fault.
"""

import functools

import pytest

from fixtures.conformance import planted_outcomes, style_recipes
from fixtures.conformance.cases import GIVEN, WRONG_STYLES
from fixtures.conformance.own_probes import wishes_of
from fixtures.rope.properties import examples_at
from fixtures.run.conformance import own_probes
from fixtures.run.options import settings_of
from fixtures.verdict.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.verdict.subject import Subject
from fixtures.verdict.usual_rules import identity_holds, within_rounding

DERIVED = "one tolerance is the largest error that rounding can make, derived in fixtures/rope/identities.py"
TURNS = "two turns' rounding of float32 angles, against short plain calls of the same code"
BESIDE = "shown beside and decides nothing, since values are right"


_identity = functools.partial(identity_holds, why=DERIVED)


def _called(name: str, quantity: str) -> Rule:
    return within_rounding(name, f"largest change of a rotated vector {quantity}", TURNS)


def _beside(name: str, quantity: str) -> Rule:
    return within_rounding(name, quantity, f"{TURNS}; {BESIDE}", decisive=False)


CHECKPOINT = within_rounding(
    name="checkpoint",
    quantity="change of a score by permuting a checkpoint and turning it the other way",
    why="the rounding of float32 projections, turns and scores (fixtures/conformance/checkpoints.py)",
)

NOT_ACCUSED = Rule(
    name="not accused",
    quantity="rules that contradict a RoPE known to be right, and words missing from how it is understood",
    side="below",
    margin=0,
    unit="rules and words",
    why="asked of controls alone",
    shift=1,
)

CLAIM = Claim(
    id="R05",
    title="Your own RoPE is a rotation",
    source="§2, eqs. 1-2, against an implementation given by --rope",
    scope=(IMPLEMENTATION,),
    statement="Scores under it depend on relative position alone, in every dtype it takes and however it is called; "
    "it keeps norms, composes, inverts by transposition, is linear, keeps pairs apart, "
    "turns by the frequencies of its base and scaling, leaves its arguments alone, and forgets earlier calls.",
    contradicted_if="one example breaks one identity by more than rounding can, or a way of calling changes what it gives",
    unit_of_analysis="example",
    rules=(
        Rule(
            name="understood",
            quantity="failures to call it",
            side="below",
            margin=0,
            unit="",
            why="what cannot be called cannot be right",
            shift=1,
        ),
        _called("writes into its argument", "that is the caller's own, by calling"),
        _called("sizes", "by how many rows, heads and tokens stand beside it, and error of other head sizes"),
        _called("views", "by the strides of the tensor that holds it"),
        _called("long calls", "by more than 1024, 4096 and 32768 tokens in one call"),
        _called("two lengths in turn", "by an earlier call of another length or at other positions"),
        _called("keys of their own", "where keys are not the queries"),
        _called("fewer key heads", "where there are fewer key heads than query heads"),
        _called("rows of a batch", "beside rows with other positions"),
        _called("one token a row", "in rows of one token each, as in decoding"),
        _called("packed sequences", "at positions that do not follow each other"),
        _called("decoding", "token by token against a full pass"),
        _called("first call in half precision", "by an earlier call in half precision"),
        _identity("relative position", "(M_m q).(M_n k) = q.(M_(n-m) k)"),
        _identity("norm", "|M_m x| = |x|, up to its scale"),
        _identity("composition", "M_a M_b = M_(a+b)"),
        _identity("inverse", "M_m transposed = M_(-m)"),
        _identity("origin", "M_0 = identity, up to output order and start"),
        _identity("linearity", "M_m (a x + b y) = a M_m x + b M_m y"),
        _identity("pair locality", "'nothing outside pair i moves it'"),
        _identity("layouts", "the layout, put in frequency order, against complex numbers turned by exp(i m theta)"),
        _identity(
            "frequencies as stated", "the angle at position 1 against the rule that its code or configuration states"
        ),
        within_rounding(
            name="scale as stated",
            quantity="relative error of what cosine and sine are multiplied by, where a configuration says it",
            why="40 roundings of float32",
        ),
        Rule(
            name="frequencies fall",
            quantity="smallest fall from a pair's frequency to the next",
            side="above",
            margin=0.001,
            unit="of the frequency",
            why="strictly falling is above 0, and the slowest fall in range is 0.05",
        ),
        Rule(
            name="no parameters",
            quantity="numbers that an optimiser would train",
            side="below",
            margin=0,
            unit="numbers",
            why="the paper says none",
            shift=1,
        ),
        within_rounding(
            name="no memory",
            quantity="worst change of a rotated vector by history, dtype of an earlier call, or cutting",
            why="two turns' rounding of float32 angles; equal calls usually agree to the bit",
        ),
        Rule(
            name="layout as asked",
            quantity="pairs that are not those of --rope-layout",
            side="below",
            margin=0,
            unit="pairs",
            why="a layout is right or wrong",
            shift=1,
        ),
        CHECKPOINT,
        NOT_ACCUSED,
        _beside("gradients", "error of the gradient against the transposed rotation"),
        _beside("second use of a graph", "change of the gradient by going back a second time"),
        _beside("autocast", "change of a rotated vector by torch.autocast, beyond the rounding of bfloat16 vectors"),
        _beside("torch.compile", "change of a rotated vector by torch.compile with backend aot_eager"),
        within_rounding(
            name="casting",
            quantity="change of a rotated bfloat16 vector by module.to(bfloat16)",
            why="two turns' rounding for bfloat16 vectors and float32 angles; "
            "shown beside, since nearly every module's buffers are cast",
            decisive=False,
        ),
    ),
    notes="How it was understood stands in the provenance, in rope.json and at the end of the run. "
    "Equivalent differences (layout, sign, scale, output order, start) are read off and not held against it, "
    "and so are scaled frequencies whose rule is known and frequencies that differ by head. "
    "What the code refuses with an error of its own is said and not held against it. "
    "Identities at positions below 0 are left out where it takes none. "
    "With --rope alone one control of each rule runs, but for torch.compile's; the full run has them all.",
)


@pytest.fixture
def check(judge, store):
    """Judge everything of a RoPE of the suite, or the named rules; the rows are recorded before the test fails."""

    def check(spec, wishes, only=None, compile_too=False, of=None):
        # the suite's own are many and simple: a fifth of the examples each, so that yours is what takes time
        count = 5 if judge.settings.rope_alone else max(examples_at(judge.settings.scale) // 5, 5)
        found = store.measured(style_recipes.examined(spec, wishes, count, only, compile_too)).values
        judged(judge, of or Subject(f"rope/{spec}"), found["rows"], found["understood"])

    return check


def judged(judge, subject, rows, understood):
    """Record a row for each rule that was measured; then fail, the first fault first, if any is contradicted."""
    failures, measured = [], [row for row in rows if not row.get("refused")]
    refused = {row["rule"]: row["refused"] for row in rows if row.get("refused")}
    subject = subject.but(provenance={"understood": understood} | ({"not measured": refused} if refused else {}))
    for row in measured:
        try:
            judge.exact(
                CLAIM.rule(row["rule"]),
                row["value"],
                of=subject,
                n=row.get("n", 1),
                test=row.get("test", "count"),
                worst=row.get("worst", False),
                unable=row.get("unable", ""),
                note=row.get("note", ""),
            )
        except pytest.fail.Exception as failure:
            failures.append(str(failure))
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)


@pytest.fixture(autouse=True)
def controls_of_something(request):
    """Where it is known by now that your code cannot be called, its controls guard nothing."""
    settings = settings_of(request.config)
    own = "own_rope" in request.fixturenames
    if settings.rope_alone and not own and own_probes(request.config).none_is_called(settings):
        pytest.skip(
            "no way of calling the RoPE given works, so there is nothing to control; to run it: leave out --rope"
        )


# Controls: what must be caught, by the rule that names the fault, and what must not be accused.


def test_control_a_wrong_one_is_caught(wrong_style, check):
    check(
        f"fixtures.rope.styles.wrong:{wrong_style}",
        wishes(),
        only=(WRONG_STYLES[wrong_style],),
        of=Subject(f"planted/{wrong_style}", role=NEGATIVE_CONTROL),
    )


def test_control_a_fault_in_the_calling_is_caught(wrong_case, check):
    """In functions and modules as they are written, after public bug reports."""
    check(
        wrong_case.spec,
        wishes(call=wrong_case.call, config=wrong_case.config),
        only=(wrong_case.rule,),
        compile_too=wrong_case.rule == "torch.compile",
        of=Subject(f"planted/{wrong_case.label}", role=NEGATIVE_CONTROL),
    )


def test_control_a_right_one_is_not_accused(right_case, judge, store):
    found = store.measured(style_recipes.accused(right_case, CLAIM, 5)).values
    judge.exact(
        NOT_ACCUSED,
        len(found["accusations"]),
        of=Subject(
            f"planted/{right_case.label}",
            role=POSITIVE_CONTROL,
            provenance={"understood": found["understood"]},
        ),
        n=1,
        test="count",
        note="; ".join(found["accusations"]),
    )


def test_control_one_that_is_wrong_is_accused(judge, store):
    """The count of accusations is not 0 for a RoPE that is wrong."""
    rule = "rows of a batch"
    case = next(case for case in GIVEN if case.rule == rule)
    found = store.measured(style_recipes.accused(case, CLAIM, 5, (rule,))).values["accusations"]
    judge.exact(NOT_ACCUSED, len(found), of=Subject("planted/wrong-one", role=NEGATIVE_CONTROL), n=1, test="count")


@pytest.mark.parametrize(("layout", "role"), [("interleaved", POSITIVE_CONTROL), ("half-split", NEGATIVE_CONTROL)])
def test_control_a_layout_that_is_asked_for(layout, role, check):
    spec = "fixtures.rope.styles.functions:pairs_by_name"
    check(spec, wishes(layout=layout), only=("layout as asked",), of=Subject(f"planted/asked-{layout}", role=role))


@pytest.mark.parametrize(("base", "role"), [(10_000.0, POSITIVE_CONTROL), (500_000.0, NEGATIVE_CONTROL)])
def test_control_a_base_that_is_asked_for(base, role, check):
    """complex_plane has 10000 written into it."""
    spec = "fixtures.rope.styles.functions:complex_plane"
    check(spec, wishes(base=base), only=("frequencies as stated",), of=Subject(f"planted/asked-{base:g}", role=role))


@pytest.mark.parametrize(
    ("name", "permuted", "role"),
    [
        ("both", (True, True), POSITIVE_CONTROL),
        ("neither", (False, False), NEGATIVE_CONTROL),
        ("query", (True, False), NEGATIVE_CONTROL),
    ],
)
def test_control_a_permuted_checkpoint(name, permuted, role, judge, store):
    """Queries and keys permuted as for GGUF and turned interleaved give Llama's scores; unpermuted, or one alone, do not."""
    if judge.settings.rope_alone:
        pytest.skip("it is about checkpoints, not about the RoPE given; to run it: leave out --rope")
    judge.exact(
        CHECKPOINT,
        store.measured(planted_outcomes.permuted(*permuted)).values["error"],
        of=Subject(f"planted/permuted-{name}", role=role),
        n=1,
        test="largest over tokens",
    )


# The RoPEs themselves; yours comes last, since its process works meanwhile.


def test_your_own(own_rope, check, judge, request):
    if own_rope not in judge.settings.rope:
        return check(own_rope, wishes_of(judge.settings, own_rope))
    found = own_probes(request.config).result(own_rope, judge.settings)
    return judged(judge, Subject(f"rope/{own_rope}"), found["rows"], found["understood"])


def wishes(**said):
    from fixtures.conformance.own import Wishes

    return Wishes(**said)
