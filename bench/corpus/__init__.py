"""Bodies as they should not be: made by code, each with the answer that it must get."""

from bench.corpus import codings, honest, lengths, texts
from bench.corpus.case import Case

CASES: tuple[Case, ...] = (*texts.CASES, *codings.CASES, *lengths.CASES, *honest.CASES)

__all__ = ["CASES", "Case"]
