"""The mutation run, one row of the table in six; the whole is ``python -m tests.mutation``, which .ci/run does too."""

import mutation
import pytest

PART = range(0, len(mutation.rows()), 6)
MOST = 98  # entries of equivalent_mutants.txt; this number may grow only with the table


def of_row(outcomes):
    """Complaints about some outcomes, with the part of the list that is about them."""
    mine = {(o.op, o.fault) for o in outcomes}
    return mutation.complaints(outcomes, {key: why for key, why in mutation.listed().items() if key in mine})


@pytest.mark.parametrize("n", PART, ids=lambda n: mutation.rows()[n].name)
def test_every_fault_in_a_rule_or_forward_is_noticed(n):
    outcomes = mutation.rule_mutants(n) + mutation.forward_mutants(n)
    assert len(outcomes) > 20
    assert not of_row(outcomes)


def test_every_fault_in_the_sweep_is_noticed():
    outcomes = mutation.wiring_mutants(list(mutation.WIRING))
    assert len(outcomes) == len(mutation.WIRING) + 1
    assert not of_row(outcomes)


def test_the_list_of_equivalents_has_reasons_and_only_shrinks():
    listed = mutation.listed()
    assert len(listed) <= MOST
    assert all(len(reason) > 10 for reason in listed.values())
    names = [row.name for row in mutation.rows()]
    assert len(set(names)) == len(names)
    assert {op for op, _ in listed} <= set(names)


def test_a_complaint_is_made_of_what_is_missed_not_listed_or_not_needed():
    def outcome(by, effective):
        return mutation.Outcome("rule", "exp", "sign", by, effective, True, True)

    assert not mutation.complaints([outcome("first order", True)], {})
    assert not mutation.complaints([outcome("", False)], {("exp", "sign"): "a reason"})
    for outcomes, known, word in [
        ([outcome("", True)], {}, "MISSED"),
        ([outcome("", True)], {("exp", "sign"): "a reason"}, "MISSED"),
        ([outcome("", False)], {}, "NOT LISTED"),
        ([outcome("first order", True)], {("exp", "sign"): "a reason"}, "NO LONGER NEEDED"),
    ]:
        (complaint,) = mutation.complaints(outcomes, known)
        assert complaint.startswith(word)
