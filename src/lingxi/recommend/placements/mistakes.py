"""What is wrong in a file of placements, in words that name the line and what may stand there."""

import ast
import re
from collections.abc import Iterator

from lingxi.errors import did_you_mean
from lingxi.recommend.placements.definition import Do, Placement, Rule, Strategy
from lingxi.recommend.rerank import Method

Path = list[str | int]

_UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`")
_NO_MEMBER = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)
_WRONG_KIND = re.compile(r"Expected `([\w |]+)`(.*?)(?:, got `(\w+)`)?")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "array": "a list",
    "object": "a table",
    "datetime": "a moment",
    "null": "nothing",
}
_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w\-\"'.]+)\s*=")
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_CONDITION = re.compile(r"In the condition (.+), at character")
_QUOTED = re.compile(r"'([^']+)'")
_WORDS = frozenset(field for kind in (Placement, Rule) for field in kind.__struct_fields__) | {
    "method",
    "strength",
    "most_per_brand",
    "most_per_category",
    "share",
    "pool",
}
_MEMBERS = {"strategy": Strategy, "fallbacks": Strategy, "method": Method, "do": Do}


def explain(problem: str) -> str:
    """msgspec's words, with the path in front, and what was meant or may stand there.

    >>> explain("Invalid enum value 'mmm' - at `$.diversity.method`")
    ".diversity.method: 'mmm' is none of none, mmr, dpp (did you mean 'mmr'?)."
    >>> explain("Expected `float | null`, got `str` - at `$.rules[0].by`")
    '.rules[0].by: must be a number, not text.'
    >>> explain("Expected `int` >= 1 - at `$.n`")
    '.n: must be a whole number >= 1.'
    """
    said, _, path = problem.partition(" - at `$")
    path = path.rstrip("`")
    if found := _UNKNOWN.match(said):
        said = f"unknown setting {found[1]!r}{did_you_mean(found[1], _WORDS)}"
    elif found := _NO_MEMBER.match(said):
        name = re.sub(r"\[.*?\]", "", path).rpartition(".")[2]
        members = [each.value for each in _MEMBERS.get(name, ())]
        if members:
            near = did_you_mean(found[1], members)
            said = f"{found[1]!r} is none of {', '.join(members)}{near}"
    elif found := _WRONG_KIND.fullmatch(said):
        kinds = [_KINDS.get(kind, kind) for kind in found[1].split(" | ") if kind != "null"]
        other = f", not {_KINDS.get(found[3], found[3])}" if found[3] else ""
        said = f"must be {' or '.join(kinds)}{found[2]}{other}"
    return f"{path}: {said[0].lower() + said[1:]}."


def name_line(text: str, problem: str) -> str:
    """A problem with the line of the file that it is about, where that can be found.

    >>> name_line("[placements.home]\\nn = 0\\n", "placements.home.n: must be a whole number >= 1.")
    'Line 2: placements.home.n: must be a whole number >= 1.'
    """
    number = _find_line(text.splitlines(), problem)
    return problem if number is None else f"Line {number}: {problem}"


def _find_line(lines: list[str], problem: str) -> int | None:
    head, _, rest = problem.removeprefix("placements.toml: ").partition(":")
    wanted = _split(head)
    if found := re.match(r" unknown (?:setting|part) '(.+?)'", rest):
        wanted.append(found[1])
    best = 0
    number: int | None = None
    first: int | None = None
    for at, path in _walk(lines):
        if first is None and path[: len(wanted)] == wanted:
            first = at
        if len(path) > best and path == wanted[: len(path)]:
            best, number = len(path), at
    start = number if best == len(wanted) else first
    quoted = None if start is None else _find_quoted(lines, start, rest)
    return quoted or start or number


def _find_quoted(lines: list[str], start: int, rest: str) -> int | None:
    """The first line from ``start`` on that holds the condition or name which a problem quotes."""
    if found := _CONDITION.search(rest):
        quoted = str(ast.literal_eval(found[1]))
    elif found := _QUOTED.search(rest):
        quoted = found[1]
    else:
        return None
    numbered = enumerate(lines[start - 1 :], start)
    return next((at for at, line in numbered if quoted in line), None)


def _walk(lines: list[str]) -> Iterator[tuple[int, Path]]:
    """The number and path of each header and key; tables of an array are counted."""
    table: Path = []
    counts: dict[str, int] = {}
    for at, line in enumerate(lines, 1):
        if header := _HEADER.fullmatch(line):
            table = _split(header[2])
            if header[1] == "[[":
                name = header[2].strip()
                counts[name] = counts.get(name, -1) + 1
                table.append(counts[name])
            yield at, list(table)
        elif key := _KEY.match(line):
            yield at, [*table, *_split(key[1])]


def _split(path: str) -> Path:
    """``rules[0].do`` as its parts."""
    return [
        int(number) if number else name.strip().strip("\"'") for number, name in _PART.findall(path)
    ]
