"""Dangerous deeds: a page that says what will happen, a typed confirmation, a reason, a POST.

The page that asks is the page that acts, so that proving the second factor anew leads back to it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from console.errors import ConsoleError
from console.pages import show
from tenants.errors import UnfitTerms

REASON_LIMIT = 500
VALUE_LIMIT = 1000
UNTYPED = "What you typed is not what the page asks for. Nothing was done."
UNREASONED = "Say why: the audit log keeps it. Nothing was done."
UNCHOSEN = "Choose one of what is offered. Nothing was done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A question of a deed's form; with `options` one of them (value, label) is chosen.

    With `many`, any number of them; the values are then joined by blanks.
    """

    name: str
    label: str
    hint: str = ""
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    many: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a form does, and `phrase`, which must be typed to do it (``""``: nothing)."""

    title: str
    words: str
    button: str
    back: str
    phrase: str = ""
    fields: tuple[Field, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A confirmed deed: why, and what was answered to each field."""

    reason: str
    values: dict[str, str]


def confirm(
    request: HttpRequest, deed: Deed, act: Callable[[Answer], HttpResponse | None]
) -> HttpResponse:
    """Have `deed` confirmed, then `act`; what refuses it is shown on the page that asked.

    Return what `act` answers; where it answers nothing, lead back.
    """
    answer = _take(request, deed)
    if isinstance(answer, HttpResponse):
        return answer
    try:
        done = act(answer)
    except (ConsoleError, UnfitTerms) as refusal:
        return _ask(
            request,
            deed,
            answer.values,
            reason=answer.reason,
            error=f"Not done: {refusal}.",
            status=409,
        )
    return HttpResponseRedirect(deed.back) if done is None else done


def _take(request: HttpRequest, deed: Deed) -> Answer | HttpResponse:
    """Return the answer of a form that confirms `deed`, else the page that asks for it."""
    if request.method != "POST":
        return _ask(request, deed, {})
    values = {each.name: _value(request, each) for each in deed.fields}
    reason = request.POST.get("reason", "").strip()[:REASON_LIMIT]
    error = ""
    if deed.phrase and request.POST.get("phrase", "").strip() != deed.phrase:
        error = UNTYPED
    elif not reason:
        error = UNREASONED
    elif any(_is_unfit(each, values[each.name]) for each in deed.fields):
        error = UNCHOSEN
    if error:
        return _ask(request, deed, values, reason=reason, error=error, status=400)
    return Answer(reason=reason, values=values)


def _value(request: HttpRequest, each: Field) -> str:
    if each.many:
        return " ".join(request.POST.getlist(each.name))[:VALUE_LIMIT]
    return request.POST.get(each.name, "").strip()[:VALUE_LIMIT]


def _is_unfit(each: Field, value: str) -> bool:
    if not value:
        return each.required
    if not each.options:
        return not value.isprintable()
    offered = {option for option, _ in each.options}
    return not (set(value.split()) if each.many else {value}) <= offered


def _ask(
    request: HttpRequest,
    deed: Deed,
    values: dict[str, str],
    *,
    reason: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    asked = [(each, values.get(each.name, each.value)) for each in deed.fields]
    marked = [(each, value, value.split() if each.many else [value]) for each, value in asked]
    return show(
        request,
        "console/deed.html",
        status=status,
        deed=deed,
        asked=marked,
        reason=reason,
        error=error,
    )
