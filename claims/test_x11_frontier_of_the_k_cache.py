"""X11 · beyond the paper · Frequency ranks pairs of the K cache as well as what is learned; half can go nearly for free.

The paper reads off the frequencies which dimensions are wasted. Later work ranks pairs by what a model does with them,
and takes 20% to 70% of its keys (RAP, arXiv 2602.02599; LeanK, 2508.02215; MHA2MLA, 2502.14837). Here both take the
same bytes from every layer's cache. Frequency alone takes the fastest pairs of every key head first; |q||k| and the
utility of eq. 4 take the lowest of the whole model first; and pairs are taken at random. A text is read once with the
whole cache. Then the cache is really cut, and what follows meets what is left: questions about needles, the rest of a
passage of prose, or the second copy of random tokens. Rankings are learned on contexts on which nothing is decided.

Two sentences are decided. (a) Frequency alone loses at most a small loss more than each learned ranking. This
comparison says something only where the learned ranking has kept more than twice the margin. (b) Some ranking, of
frequency and the learned ones, loses little on all three tasks. X02 measures by masks what utility allows on retrieval;
that its masks and these caches say the same is checked number by number. Latency is measured in `fixtures/benchmarks`,
and promised nowhere.
"""

import numpy as np
import pytest

from fixtures.figures import frontier_figures as figures
from fixtures.instruments import pair_rankings as rankings
from fixtures.instruments.pair_importance import weakest
from fixtures.measurements import language
from fixtures.measurements.frontier import INDUCTION, LIMIT, OUTCOMES, RETRIEVAL, TEXT
from fixtures.run.census import marked, measures
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Rule
from fixtures.verdict.statistics import Measured, StatisticsError, mean_of_units, some_of
from fixtures.verdict.subject import something_to_lose
from fixtures.verdict.usual_rules import bytes_as_predicted

A_SMALL_LOSS = {
    RETRIEVAL: "the smaller of a tenth of what pruning every pair costs in that context and log 2 (odds halved)",
    TEXT: "the smaller of a tenth of what pruning every pair costs in that passage and 0.1 nats, C07's margin: "
    "halving a language model costs about as much",
    INDUCTION: "the smaller of a tenth of what pruning every pair costs in that sequence and log 2 (odds halved)",
}
OF_WHAT = {
    RETRIEVAL: "loss of the right word's lead",
    TEXT: "loss a token of plain text",
    INDUCTION: "loss a token of the second copy of random tokens",
}
ROOM = 0.2
"""Share of what pruning every pair costs that a learned ranking must have kept to be compared with: twice the margin."""


def _little(name: str, quantity: str, outcome: str, side: str = "below", decisive: bool = True) -> Rule:
    return Rule(
        name=name,
        quantity=f"{OF_WHAT[outcome]} {quantity}",
        side=side,
        margin=0.0,
        unit="nats",
        shift=LIMIT[outcome] / 2,
        why=A_SMALL_LOSS[outcome],
        decisive=decisive,
        per={RETRIEVAL: "context", TEXT: "passage", INDUCTION: "sequence"}[outcome],
    )


MATCHES = {
    (outcome, dose): _little(
        f"frequency matches what is learned, {outcome}, {dose:.0%}",
        f"with {dose:.0%} of the keys gone by frequency alone, minus a small loss and what each learned ranking loses",
        outcome,
    )
    for outcome in OUTCOMES
    for dose in rankings.DECIDING
}
SOME = {
    dose: Rule(
        name=f"some ranking loses little, {dose:.0%}",
        quantity=f"loss with {dose:.0%} of the keys gone by the best ranking, minus a small loss: "
        "the worst of retrieval, text and induction",
        side="below",
        margin=0.0,
        unit="nats",
        shift=LIMIT[TEXT] / 2,
        why="a small loss on each: the smaller of a tenth of what pruning every pair costs and log 2 "
        "(of text 0.1 nats a token)",
    )
    for dose in rankings.DECIDING
}
BYTES = bytes_as_predicted("the cache shrinks", "a pruned K and V cache", per="cache")
AGREES = Rule(
    name="X02 agrees",
    quantity="largest difference of the right word's lead between X02's masks and the same prunings of a real cache, "
    "in the same contexts",
    side="below",
    margin=0.01,
    unit="nats",
    why="float32 sums in another order differ by some 1e-4 nats, another pruning by tenths",
    decisive=False,
    per="question and pruning",
)
OTHERS = {
    ranking: {
        dose: _little(
            f"{words} lose more, {dose:.0%}",
            f"without as many pairs, {ranking}, minus a small loss and what each learned ranking loses",
            RETRIEVAL,
            "above",
            False,
        )
        for dose in doses
    }
    for ranking, words, doses in (
        (rankings.RANDOM, "random pairs", rankings.DECIDING),
        (rankings.REVERSED, "the largest pairs", rankings.OF_REVERSED["paper"]),
    )
}

CLAIM = Claim(
    id="X11",
    title="Frequency alone says which keys can go",
    source="beyond the paper; §6, and arXiv 2602.02599, 2508.02215, 2502.14837",
    scope=(PRETRAINED,),
    statement="(a) With a quarter and with half of the K cache gone, pairs that leave by frequency alone cost no more "
    "than pairs that leave by |q||k| or by the utility of eq. 4, beyond a small loss, on retrieval, plain text and "
    "induction. (b) Some ranking loses little on all three, with a quarter gone and with half gone.",
    contradicted_if="frequency alone costs more than a learned ranking and a small loss on any of the tasks, "
    "or every ranking costs more than a small loss on some task, or the cache holds another number of bytes than "
    "predicted",
    unit_of_analysis="context, passage or sequence",
    rules=(
        *MATCHES.values(),
        *SOME.values(),
        BYTES,
        AGREES,
        *(rule for of_dose in OTHERS.values() for rule in of_dose.values()),
    ),
    notes="Both sentences are needed. Frequency alone takes as many pairs of every key head, the fastest first; learned"
    " rankings order the pairs of all layers and key heads together, by the largest score of the query heads that"
    " share the key, and take as many pairs in all, so the bytes are the same. Utility is the mean of u over the "
    "weights of eq. 4's path: at the one admissible weight most of u is 1 and ranks nothing. Both are learned on "
    "two contexts that judge nothing. (a) is decided against each learned ranking that keeps over a fifth of what"
    " pruning every pair costs, twice the margin: below that there is no room to lose more, and where none keeps "
    "as much it is inconclusive. (b) is decided for each ranking at 5% over their number (Bonferroni). n: twelve "
    "contexts of --context tokens, passages of 176 tokens of which the last 48 follow the cut, and sequences of "
    "two copies of 64 random tokens. Power: on three other units of each, how much more frequency costs at a "
    "quarter than a learned ranking varied by 1.2 nats of lead, 0.2 nats a token of text and 0.5 to 1.1 of "
    "induction (standard deviations); twelve decide a mean that lies as far from a small loss nine times in ten. "
    "What pruning every pair costs must exceed 1 nat, or there is nothing to lose and the model is inconclusive. "
    "Controls: pruning every pair must fail every rule, pruning nothing must keep it, and an unpruned cache must "
    "fail the bytes. Beside the verdict: random pairs. Paper scale adds the largest pairs first, an eighth and 70% "
    "of the keys, and two more learned rankings: the energy of each pair's block of the logits, and what X09 predicts "
    "from the distances that a head looks over.",
)

asks = measures(language.frontier)
needs = marked(asks, pytest.mark.loaded)  # an embedded model reads no prose

# --- what is measured


def parts(lm, name: str, outcome: str, dose: float) -> dict[str, np.ndarray]:
    """Learned ranking that leaves room -> (n,) nats that a condition costs more than it, beyond a small loss."""
    losses = lm.frontier.losses
    others = {
        ranking: rankings.at(ranking, dose)
        for ranking in rankings.LEARNED[lm.settings.scale]
        if losses.kept(outcome, rankings.at(ranking, dose)) > ROOM
    }
    if not others:
        raise StatisticsError(
            f"with {dose:.0%} of the keys gone no learned ranking keeps {ROOM:.0%} of what pruning every pair costs: "
            "there is no room to lose more"
        )
    return {
        ranking: losses.cost(outcome, name, against=other) - losses.small(outcome) for ranking, other in others.items()
    }


def more_than_learned(lm, name: str, outcome: str, dose: float, side: str = "below") -> Measured:
    return weakest(parts(lm, name, outcome, dose), side, 0.0, CLAIM.alpha)


def loses_little(lm, names: list[str]) -> Measured:
    """That one of some conditions costs little on every task."""
    losses, alpha = lm.frontier.losses, CLAIM.alpha / len(names)
    options = [
        [
            mean_of_units((losses.cost(outcome, name) - losses.small(outcome)).tolist(), "below", 0.0, alpha)
            for outcome in OUTCOMES
        ]
        for name in names
    ]
    return some_of(options, "ranking", CLAIM.alpha)


def candidates(lm, dose: float) -> list[str]:
    return [rankings.at(name, dose) for name in (rankings.FREQUENCY, *rankings.LEARNED[lm.settings.scale])]


def nothing_to_lose(lm, outcomes=OUTCOMES) -> str:
    """Why a verdict cannot rest on these outcomes, '' if it can."""
    return "; ".join(filter(None, (lm.frontier.losses.unable(outcome) for outcome in outcomes)))


def what_each_costs(lm, outcome: str, dose: float) -> str:
    losses = lm.frontier.losses
    costs = (
        f"{ranking} {losses.cost(outcome, rankings.at(ranking, dose)).mean():.2f}"
        for ranking in (rankings.FREQUENCY, *rankings.LEARNED[lm.settings.scale], rankings.RANDOM)
    )
    every = losses.cost(outcome, rankings.EVERY_PAIR).mean()
    return f"nats lost: {', '.join(costs)}; without any pair {every:.2f}"


# --- (a)


cases = pytest.mark.parametrize(
    ("outcome", "dose"), MATCHES, ids=[f"{outcome}-{100 * dose:.0f}" for outcome, dose in MATCHES]
)


@needs
@cases
def test_frequency_alone_matches_what_is_learned(lm, judge, outcome, dose):
    judge.interval(
        MATCHES[outcome, dose],
        lambda: more_than_learned(lm, rankings.at(rankings.FREQUENCY, dose), outcome, dose),
        of=lm,
        unable=lambda: nothing_to_lose(lm, (outcome,)),
        note=lambda: what_each_costs(lm, outcome, dose),
        series=lambda: figures.frontier(lm.key, lm.frontier.losses, outcome) if dose == rankings.DECIDING[0] else {},
    )


# --- (b)


by_dose = pytest.mark.parametrize("dose", SOME, ids=[f"{100 * dose:.0f}" for dose in SOME])


@needs
@by_dose
def test_some_ranking_loses_little(lm, judge, dose):
    judge.interval(
        SOME[dose],
        lambda: loses_little(lm, candidates(lm, dose)),
        of=lm,
        unable=lambda: nothing_to_lose(lm),
        note=lambda: "; ".join(f"{outcome}: {what_each_costs(lm, outcome, dose)}" for outcome in OUTCOMES),
        series=lambda: figures.table(lm.key, lm.frontier.losses) if dose == rankings.DECIDING[0] else {},
    )


# --- caches


def shares(losses) -> str:
    """Of the K cache's bytes, what really went, in words."""
    return ", ".join(f"{name}: {losses.share(name):.1%} of the K cache" for name in losses.names)


@needs
def test_the_cache_really_shrinks(lm, judge):
    judge.exact(
        BYTES,
        lambda: lm.frontier.losses.bytes.off,
        of=lm,
        n=lambda: lm.frontier.losses.bytes.stored.size,
        test="bytes of every tensor's memory against the arithmetic",
        note=lambda: shares(lm.frontier.losses),
    )


@pytest.mark.loaded
@measures(language.pruned_exactly)
def test_beside_it_masks_say_the_same(lm, judge):
    judge.exact(
        AGREES,
        lambda: lm.frontier.agreement.difference,
        of=lm,
        n=lambda: lm.frontier.agreement.n,
        test="worst of X02's prunings and questions",
        worst=True,
        unable=lambda: lm.frontier.agreement.too_coarse,
    )


# --- beside


@needs
@pytest.mark.parametrize(
    ("ranking", "dose"),
    [(ranking, dose) for ranking, of_dose in OTHERS.items() for dose in of_dose],
    ids=[rule.name.replace(" ", "-") for of_dose in OTHERS.values() for rule in of_dose.values()],
)
def test_beside_it_other_pairs_lose_more(lm, judge, ranking, dose):
    rule = OTHERS[ranking][dose]
    if ranking == rankings.REVERSED:
        judge.only_at_paper_scale(rule, lm.key, why="the largest pairs are taken at paper scale")
    judge.interval(
        rule,
        lambda: more_than_learned(lm, rankings.at(ranking, dose), RETRIEVAL, dose, "above"),
        of=lm,
        unable=lambda: nothing_to_lose(lm, (RETRIEVAL,)),
        note=lambda: what_each_costs(lm, RETRIEVAL, dose),
    )


# --- controls


@needs
@cases
def test_control_without_any_pair_frequency_does_not_match(lm, judge, outcome, dose):
    """Every pair in place of the fastest, against a whole cache: whatever the rankings are worth."""

    def lost() -> np.ndarray:
        something_to_lose(nothing_to_lose(lm, (outcome,)))
        losses = lm.frontier.losses
        return losses.cost(outcome, rankings.EVERY_PAIR) - losses.small(outcome)

    judge.units(MATCHES[outcome, dose], lost, of=lm.control(NEGATIVE_CONTROL, f"every-pair-{outcome}-{100 * dose:.0f}"))


@needs
@cases
def test_control_a_whole_cache_matches_what_is_learned(lm, judge, outcome, dose):
    def measured() -> Measured:
        something_to_lose(nothing_to_lose(lm, (outcome,)))
        losses = lm.frontier.losses
        units = losses.cost(outcome, rankings.NONE) - losses.small(outcome)
        return mean_of_units(units.tolist(), "below", 0.0, CLAIM.alpha)

    judge.interval(
        MATCHES[outcome, dose], measured, of=lm.control(POSITIVE_CONTROL, f"whole-cache-{outcome}-{100 * dose:.0f}")
    )


@needs
@by_dose
@pytest.mark.parametrize(
    ("role", "name"),
    [(NEGATIVE_CONTROL, rankings.EVERY_PAIR), (POSITIVE_CONTROL, rankings.NONE)],
    ids=["every-pair", "nothing"],
)
def test_control_every_pair_loses_much_and_none_loses_nothing(lm, judge, dose, role, name):
    def measured() -> Measured:
        something_to_lose(nothing_to_lose(lm))
        return loses_little(lm, [name])

    judge.interval(SOME[dose], measured, of=lm.control(role, f"{name.replace(' ', '-')}-pruned-{100 * dose:.0f}"))


@needs
def test_control_a_cache_that_was_not_pruned_fails_the_bytes(lm, judge):
    def off() -> float:
        found = lm.frontier.losses
        predicted = found.bytes.predicted[found.names.index(rankings.at(rankings.FREQUENCY, rankings.DECIDING[0]))]
        return float(np.abs(found.bytes.plain - predicted).max())

    judge.exact(
        BYTES,
        off,
        of=lm.control(NEGATIVE_CONTROL, "plain-cache"),
        n=1,
        test="the unpruned cache against the arithmetic",
    )


@pytest.mark.loaded
@measures(language.pruned_exactly)
def test_control_an_unpruned_model_does_not_agree(lm, judge):
    judge.exact(
        AGREES,
        lambda: lm.frontier.agreement.changed,
        of=lm.control(NEGATIVE_CONTROL, "unpruned-model"),
        n=1,
        test="largest change by any of X02's prunings",
    )
