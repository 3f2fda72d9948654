"""Which changes wait for which."""

from __future__ import annotations

from mlplan.address import Address
from mlplan.apply.executor import order_of
from mlplan.fingerprint import known
from mlplan.graph import build_graph
from mlplan.plan.changes import Action, Change

MODEL, OLD, NEW = Address("model", "m"), Address("deployment", "old"), Address("deployment", "new")
CPU = Address("compute", "cpu")


def change(address: Address, action: Action, port: int | None = None) -> Change:
    parts = {"host": known("replace", "127.0.0.1"), "port": known("replace", port)} if port else {}
    gone = action == "delete"
    return Change(address, action, (), parts if gone else {}, {} if gone else parts)


def test_each_waits_for_the_changes_that_it_needs() -> None:
    graph = build_graph({MODEL: [], NEW: [MODEL, CPU], CPU: []})
    assert order_of([change(MODEL, "register"), change(NEW, "create", 1)], graph) == {MODEL: set(), NEW: {MODEL}}


def test_deletions_come_last_those_that_need_others_first() -> None:
    loud = [change(NEW, "create", 1), change(OLD, "delete", 2), change(MODEL, "delete")]
    assert order_of(loud, build_graph({NEW: []})) == {NEW: set(), OLD: {NEW}, MODEL: {NEW, OLD}}


def test_a_service_waits_for_the_one_whose_port_it_takes() -> None:
    loud = [change(NEW, "create", 1), change(OLD, "delete", 1), change(MODEL, "delete")]
    assert order_of(loud, build_graph({NEW: []})) == {NEW: {OLD}, OLD: set(), MODEL: {NEW, OLD}}
