#!/usr/bin/env python3
"""usage: way.py [INSTRUCTION]

Counts what somebody reads who follows one instruction, `liquidate` unless told, from its entry in the program to its event: every
definition that is reached, doc comments included, tests not. Writes target/way.json: lines, files, types; and lists them by file.

Reached is what the text of something reached names. A call is followed by its name: `name(` to a function, `Type::name(` to that
type's, `.name(` to every method of this name of a type that is reached. So it counts too much where two methods share a name,
never too little. The sources are as rustfmt leaves them: an item begins at the margin and ends with a brace there.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ["crates/engine/src", "programs/breakwater/src"]
ITEM = re.compile(
    r"^\s*(?:pub(?:\([a-z ]+\))? )?(?:const )?(?:unsafe )?"
    r"(?:(fn|struct|enum|trait|const|static|type) (?:r#)?(\w+)|(impl)\b|(stored|record|words|events)! \{|(stored_account)!\()"
)
WORD = re.compile(r"(\.|::)?\s*(?:r#)?\b([A-Za-z_]\w*)\b(\(|::<|!|::)?")


class Item:
    def __init__(self, file, kind, name, owner, start, lines):
        self.file, self.kind, self.name, self.owner = file, kind, name, owner
        self.start, self.lines = start, lines

    @property
    def text(self):
        """Without comments and strings."""
        code = re.sub(r"//.*", "", "\n".join(self.lines))
        if self.kind == "enum":
            # Variants are no types of their own.
            code = re.sub(r"(?m)^    (\w+)", "", code)
        return re.sub(r'"(?:\\.|[^"\\])*"', '""', code)


def blocks(lines, indent):
    """Items at this indent: (first line with its docs, line of the header, last line)."""
    margin, docs, at = " " * indent, None, 0
    while at < len(lines):
        line = lines[at]
        body = line[indent:] if line.startswith(margin) else line
        if not line.strip() or (line.startswith(margin) and body.startswith("//") and not body.startswith("///")):
            docs = None if not line.strip() else docs
            at += 1
            continue
        if line.startswith(margin) and (body.startswith("///") or body.startswith("#[")):
            docs = at if docs is None else docs
            while body.startswith("#[") and not lines[at].rstrip().endswith("]"):
                at += 1
                if lines[at].startswith(margin + ")]"):
                    break
            at += 1
            continue
        end = at
        while end + 1 < len(lines):
            last = lines[end]
            closes = last.startswith(margin) and last[indent : indent + 1] in "})" and last.strip()
            opened = last.rstrip().endswith(("{", "(", "[", "=", ",")) or (end == at and not last.rstrip().endswith((";", "}")))
            if end > at and closes and not last.rstrip().endswith("{"):
                break
            if end == at and not opened:
                break
            if end > at and last.rstrip().endswith(";") and last.startswith(margin) and not last[indent : indent + 1].isspace():
                break
            end += 1
        yield (at if docs is None else docs), at, end
        docs, at = None, end + 1


def items(file):
    lines = file.read_text().split("\n")
    for first, head, last in blocks(lines, 0):
        doc = "\n".join(lines[first:head])
        if "cfg(test)" in doc or "cfg(feature" in doc:
            continue
        found = ITEM.match(lines[head])
        if not found:
            continue
        kind, name, impl, macro, account = found.groups()
        if impl:
            header = " ".join(lines[head : next((n for n in range(head, last + 1) if lines[n].rstrip().endswith("{")), last) + 1])
            of = re.search(r"(?:\bfor )?(?:&(?:'\w+ )?)?(\w+)(?:<[^{]*>)?(?: where .*)? \{", header)
            owner = re.search(r"\bfor (?:&(?:'\w+ )?)?(\w+)", header)
            owner = (owner or of).group(1)
            inside = lines[head + 1 : last]
            for begin, top, end in blocks(inside, 4):
                method = ITEM.match(inside[top])
                if method and method.group(2) and "cfg(test)" not in "\n".join(inside[begin:top]):
                    yield Item(file, method.group(1), method.group(2), owner, head + 1 + begin, inside[begin : end + 1])
        elif macro:
            inside = lines[head + 1 : last]
            for begin, top, end in blocks(inside, 4):
                named = re.match(r"    (?:pub struct )?(\w+)", inside[top])
                if named:
                    yield Item(file, "struct", named.group(1), None, head + 1 + begin, inside[begin : end + 1])
        elif account:
            inside = lines[head + 1 : last]
            named = next((line.strip().rstrip(",") for line in inside if re.match(r"    \w+,$", line)), None)
            if named:
                yield Item(file, "account", named, None, first, lines[first : last + 1])
        else:
            yield Item(file, kind, name, None, first, lines[first : last + 1])


def sources():
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.rs")):
            # The cascade is not compiled into the program.
            if file.stem not in ("tests", "cascade") and not {"tests", "cascade"} & set(file.parts):
                yield file


def way(instruction):
    named, methods, of_type = defaultdict(list), defaultdict(list), defaultdict(list)
    for file in sources():
        for item in items(file):
            if item.owner:
                methods[item.name].append(item)
                of_type[item.owner, item.name].append(item)
            else:
                named[item.name].append(item)
    camel = "".join(part.capitalize() for part in instruction.split("_"))
    own = ROOT / SOURCES[1] / "instructions"
    queue = [
        item
        for name in (instruction, camel)
        for item in named[name]
        if own in item.file.parents and item.file.stem == instruction
    ]
    if not queue:
        sys.exit(f"no instruction {instruction}")
    reached, types, called = [], set(), set()

    def add(found):
        for item in found:
            if item not in reached and item not in queue:
                queue.append(item)

    while queue:
        item = queue.pop()
        reached.append(item)
        if item.kind in ("struct", "enum", "trait", "type", "account"):
            types.add(item.name)
        text = item.text
        for match in WORD.finditer(text):
            before, name, after = match.groups()
            if before == "." and after in ("(", "::<"):
                called.add(name)
            elif before == ".":
                continue
            elif before == "::":
                prior = re.search(r"(\w+)(?:::<[^>]*>)?::$", text[: match.start(2)])
                owner = prior.group(1) if prior else None
                owner = item.owner if owner == "Self" else owner
                if owner and owner[0].isupper():
                    add(of_type[owner, name])
                else:
                    add(named[name] if after == "(" or name[0].isupper() else [])
            elif name[0].isupper():
                add(named[name])
            elif after == "(":
                add(one for one in named[name] if one.kind == "fn")
        for name in called:
            add(one for one in methods[name] if one.owner in types)
    return reached


def main():
    instruction = sys.argv[1] if len(sys.argv) > 1 else "liquidate"
    reached = way(instruction)
    by_file = defaultdict(set)
    for item in reached:
        by_file[item.file].update(range(item.start, item.start + len(item.lines)))
    kinds = ("struct", "enum", "trait", "type")
    types = sorted({item.name for item in reached if item.kind in kinds})
    lines = sum(len(numbers) for numbers in by_file.values())
    for file, numbers in sorted(by_file.items(), key=lambda pair: -len(pair[1])):
        print(f"{len(numbers):6} {file.relative_to(ROOT)}")
    print(f"{instruction}: {lines} lines, {len(by_file)} files, {len(types)} types")
    print(", ".join(types))
    target = ROOT / "target"
    target.mkdir(exist_ok=True)
    figures = {"instruction": instruction, "lines": lines, "files": len(by_file), "types": len(types)}
    (target / "way.json").write_text(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
