"""Check an audit bundle: python3 -I verify.py [DIR] [--vkey KEY] [--checkpoint FILE]... [--json].

Needs CPython 3.11 and nothing else; opens no connection. Hashes every entry again (RFC 6962), holds
the tree against every signed checkpoint (C2SP tlog-checkpoint; Ed25519 by RFC 8032) and those you
kept; seeks entries that none signs, a clock set back. Exit 0: whole, 1: not. Get the key elsewhere.
"""

# fmt: off
import argparse, base64, gzip, hashlib, io, json, multiprocessing, sys  # noqa: E401, I001 -- short
from datetime import datetime
from itertools import accumulate
from pathlib import Path

FILE, BACK = 1 << 16, 60.0  # entries of a file; seconds by which a clock may be corrected
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT_OF_MINUS_1 = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
ZERO: Point = (0, 1, 1, 0)
Finding = tuple[str, int, int, str]  # what kind, first and last index, a sentence
Job = tuple[Path, int, int, list[bytes], set[int]]  # folder, first, last, nodes before, cuts
Heads = dict[int, set[bytes]]
Shown = dict[str, tuple[list[str], list[str]]]
Walked = tuple[int, dict[int, list[bytes]], list[bytes], str, str, list[Finding]]

def _point(raw: bytes) -> Point:  # Decompress, RFC 8032 5.1.3
    y, sign = int.from_bytes(raw, "little") & ((1 << 255) - 1), raw[31] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    x = x * ROOT_OF_MINUS_1 % P if v * x * x % P == -u % P else x
    if y >= P or v * x * x % P != u or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P
def _add(p: Point, q: Point) -> Point:  # Add, RFC 8032 5.1.4
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P
# Make the multiples 0 to 256 of 256^n times a point: a product is then 32 additions
def _table(point: Point) -> list[list[Point]]:
    rows: list[list[Point]] = []
    for _ in range(32):
        rows.append([*accumulate([rows[-1][256] if rows else point] * 256, _add, initial=ZERO)])
    return rows

class _Key:  # the log's public key, from its line (C2SP vkey)
    def __init__(self, line: str) -> None:
        self.name, identifier, encoded = line.strip().split("+", 2)
        blob = base64.b64decode(encoded, validate=True)
        self.id = hashlib.sha256(self.name.encode() + b"\n" + blob).digest()[:4]
        if len(blob) != 33 or blob[0] != 1 or self.id.hex() != identifier:
            raise ValueError("the key is no Ed25519 vkey")
        self.raw, (x, y, _, xy) = blob[1:], _point(blob[1:])
        base = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
        self.rows = [*_table(base), *_table(((P - x) % P, y, 1, (P - xy) % P))]
    def verifies(self, message: bytes, signature: bytes) -> bool:  # [S]B - [k]A = R (5.1.7)
        s, total = int.from_bytes(signature[32:], "little"), ZERO
        k = hashlib.sha512(signature[:32] + self.raw + message).digest()
        digits = signature[32:] + (int.from_bytes(k, "little") % ORDER).to_bytes(32, "little")
        for row, digit in zip(self.rows, digits, strict=True):
            total = _add(total, row[digit]) if digit else total
        x, y = (each * pow(total[2], -1, P) % P for each in total[:2])
        return s < ORDER and (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]
    def root(self, note: str, origin: str) -> bytes:  # of a checkpoint that this key signed
        text, _, lines = note.rpartition("\n\n")
        for line in lines.split("\n"):
            name, _, encoded = line.removeprefix("\N{EM DASH} ").partition(" ")
            blob = base64.b64decode(encoded, validate=True)
            if name == self.name and blob[:4] == self.id:
                (named, _, root, *_), said = text.split("\n"), f"{text}\n".encode()  # with its end
                if named != origin or len(blob) != 68 or not self.verifies(said, blob[4:]):
                    raise ValueError("its signature does not verify, or it is of another log")
                return base64.b64decode(root, validate=True)
        raise ValueError("the log's key did not sign it")

def _root(nodes: list[bytes]) -> bytes:
    root = nodes[-1] if nodes else hashlib.sha256().digest()
    for each in nodes[-2::-1]:
        root = hashlib.sha256(b"\1" + each + root).digest()
    return root
# Append whole subtrees to a tree of so many entries, each as large as fits before stop
def _grown(size: int, stop: int, nodes: list[bytes], roots: list[bytes]) -> list[bytes]:
    for each in roots:
        step = 1 << min((size & -size or stop).bit_length(), (stop - size).bit_length()) - 1
        size, carry, root = size + step, size // step, each
        while carry & 1:
            root, carry = hashlib.sha256(b"\1" + nodes.pop() + root).digest(), carry >> 1
        nodes.append(root)
    return nodes if size == stop else []
def _is_back(now: str, before: str) -> bool:
    return (datetime.fromisoformat(before) - datetime.fromisoformat(now)).total_seconds() > BACK
# Hash a file: its end, its nodes at each cut and there, first and newest time, faults
def _walk(job: Job) -> Walked:
    folder, size, last, nodes, cuts = job
    first, at, oldest, newest, sha = size, dict[int, list[bytes]](), "", "", hashlib.sha256
    found: list[Finding] = []
    try:
        stored = (folder / f"hashes-{first // FILE:04}.bin").read_bytes()
        with gzip.open(folder / f"entries-{first // FILE:04}.ndjson.gz") as packed:
            for line in io.BufferedReader(packed, 1 << 20):
                start = b'{"idx":%d,"leaf":' % size
                leaf, place = line[len(start) : -2], (size - first) * 32
                digest = sha(b"\0" + leaf).digest()
                wrong = size > last or not line.startswith(start) or not line.endswith(b"}}\n")
                if wrong or digest != stored[place : place + 32]:
                    found.append(("index" if wrong else "hash", size, size, repr(line[:60])))
                    break
                place = leaf.rfind(b'"sequenced":"') + 13
                time = leaf[place : place + 27].decode()
                if time < newest and not found and _is_back(time, newest):
                    found = [("clock", size, size, f"{newest} is followed by {time}")]
                oldest, newest, carry = oldest or time, max(newest, time), size & (FILE - 1)
                while carry & 1:
                    digest, carry = sha(b"\1" + nodes.pop() + digest).digest(), carry >> 1
                nodes.append(digest)
                size += 1
                if size in cuts:
                    at[size] = list(nodes)
    except (OSError, EOFError, ValueError, IndexError) as error:
        found.append(("damaged", size, last, f"{type(error).__name__}: {error}"))
    return size, at, nodes, oldest, newest, found

# Is the base what was signed? Are trees from before it, by size: their nodes, what follows, in it?
def _before(size: int, nodes: list[bytes], heads: Heads, shown: Shown) -> list[Finding]:
    root, found = {_root(nodes)}, list[Finding]()
    if heads.get(size, root) != root or size > max(heads, default=0):
        found.append(("base", 0, size - 1, "what came before is not what was signed"))
    for at in sorted(each for each in heads if each < size):
        old, then = ([*map(base64.b64decode, part)] for part in shown.get(str(at), ("", "")))
        if heads[at] != {_root(old)} or _grown(at, size, old, then) != nodes:
            found.append(("earlier", 0, at - 1, f"the first {at} entries are not shown to be here"))
    return found
def _check(folder: Path, vkey: str, outside: list[Path], *, loose: bool) -> dict[str, object]:
    said = json.loads((folder / "bundle.json").read_bytes())
    key, size, stop = _Key(vkey or (folder / "vkey").read_text()), said["start"], said["size"]
    nodes = [base64.b64decode(each) for each in said["nodes"]]
    kept = (folder / "checkpoints.ndjson").read_bytes().splitlines()
    texts = [json.loads(line)["note"] for line in kept] + [each.read_text() for each in outside]
    notes = sorted((int(text.split("\n")[1]), text) for text in texts)
    found, upper, newest, signed = list[Finding](), nodes[: (size // FILE).bit_count()], "", size
    jobs = [
        (folder, first, min(first // FILE * FILE + FILE, stop) - 1, [] if n else nodes[len(upper):],
         {at for at, _ in notes if first < at <= first // FILE * FILE + FILE})
        for n, first in enumerate([size, *range((size // FILE + 1) * FILE, stop, FILE)])
        if first < stop
    ]
    with multiprocessing.Pool(min(4, multiprocessing.cpu_count())) as pool:
        walks, heads, before = pool.imap(_walk, jobs), Heads(), 0
        for at, note in notes:
            try:
                heads[at] = {key.root(note, said["origin"])} | heads.get(at, set())
            except (ValueError, IndexError) as error:
                found.append(("checkpoint", before, max(at - 1, 0), f"of {at} entries: {error}"))
            before = at
        found += _before(size, nodes, heads, json.loads((folder / "earlier.json").read_bytes()))
        for (_, first, last, _, _), walked in zip(jobs, walks, strict=True):
            size, cuts, nodes, oldest, time, bads = walked
            if newest and oldest and _is_back(oldest, newest):
                bads.insert(0, ("clock", first, first, f"{newest} is followed by {oldest}"))
            found, newest = found + bads, max(newest, time)
            for at, lower in cuts.items():
                if at in heads and heads[at] != {_root(upper + lower)}:
                    found, size = [*found, ("root", signed, at - 1, "not what was signed")], last
                    break
                signed = at if at in heads else signed
            if size <= last:
                break
            carry = first // FILE
            while carry & 1 and size % FILE == 0:
                nodes, carry = [_root([upper.pop(), nodes[0]])], carry >> 1
            upper += nodes
    broken, end = {"index", "hash", "damaged", "root"} & {f[0] for f in found}, max([stop, *heads])
    if size < end and not broken:
        found.append(("missing", size, end - 1, f"{end} entries were signed, {size} are here"))
    free = [("unsigned", signed, size - 1, "no checkpoint signs these")] if signed < size else []
    found = sorted(found + ([] if broken or loose else free), key=lambda each: each[1])
    told = f"entries {signed} to {size - 1}: no checkpoint signs these" if free and loose else ""
    return {
        "ok": not found, "first_bad": found[0][1] if found else None, "size": size,
        "root": _root(upper if jobs else nodes).hex(), "checkpoints": len(heads),
        "unsigned": size - signed, "allowed": told,
        "key": "given" if vkey else "the bundle's own",
        "findings": [{"fault": f[0], "first": f[1], "last": f[2], "message": f[3]} for f in found],
    }

if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("dir", type=Path, nargs="?", default=Path(__file__).parent)
    asked.add_argument("--vkey", default="", help="the log's public key, as you got it elsewhere")
    asked.add_argument("--checkpoint", type=Path, action="append", default=[])
    asked.add_argument("--allow-unsigned", action="store_true", help="say it, and be content")
    asked.add_argument("--json", action="store_true", help="on one line")
    given = asked.parse_args()
    try:
        answer = _check(given.dir, given.vkey, given.checkpoint, loose=given.allow_unsigned)
    except (OSError, ValueError, LookupError, TypeError) as error:
        answer = {"ok": False, "first_bad": 0, "findings": [f"no bundle can be read: {error!r}"]}
    sys.stdout.write(json.dumps(answer, indent=None if given.json else 1) + "\n")
    sys.exit(0 if answer["ok"] else 1)
