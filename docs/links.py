#!/usr/bin/env python3
"""Checks the Markdown of the repository: every relative link has its file and its anchor, every page of the book stands
in SUMMARY.md, prose has at most 100 columns there, every file of the repository that a page names as code is there, and
so is every page of the book that the code names. Status 1, and one line a fault, if not.

    python3 docs/links.py"""

import os, re, subprocess, sys, unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS = 100
NAMED = re.compile(r"`((?:src|tests|data|sims|benches|proofs-check|examples|fuzz|docs|assets|\.ci)/[\w./-]*)`")
PAGE = re.compile(r"\bdocs/(?!measured/VERSION)[\w./-]+\.md\b")
LINK = re.compile(r"(?<!\\)\[(?:[^\]\[`]|`[^`]*`)*\]\(([^)\s]+)\)")


def tracked(*patterns):
    """The repository's files of these patterns, and those that are new."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                            check=True, capture_output=True, text=True)
    return [path for path in sorted(set(listed.stdout.split("\n"))) if path and os.path.exists(os.path.join(ROOT, path))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def prose(text):
    """The lines outside blocks of code, with their numbers."""
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(text):
    """The anchors of a page's headings, as GitHub and mdBook make them."""
    made = set()
    for _, line in prose(text):
        if heading := re.match(r"#+ (.*)", line):
            kept = (c for c in heading[1].lower() if unicodedata.category(c)[0] in "LN" or c in " -_")
            made.add("".join(kept).replace(" ", "-"))
    return made


def links(text):
    """Targets of links with their line numbers; a link's words may go on in the next line."""
    numbered = list(prose(text))
    joined = "\n".join(line for _, line in numbered)
    for found in LINK.finditer(joined):
        yield numbered[joined.count("\n", 0, found.end())][0], found[1]


def faults(path, texts):
    """What is wrong with a page."""
    if path.startswith("docs/"):
        for number, line in prose(texts[path]):
            if len(line) > COLUMNS and not line.startswith(("|", "<!--", "    ", "![")):
                yield f"{path}:{number}: {len(line)} columns"
    if path != "CHANGELOG.md":
        for number, line in prose(texts[path]):
            for named in NAMED.findall(line):
                if not any(os.path.exists(os.path.join(ROOT, folder, named)) for folder in ("", "src")):
                    yield f"{path}:{number}: no file {named}"
    for number, target in links(texts[path]):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(os.path.join(ROOT, there)):
            yield f"{path}:{number}: no file {target}"
        elif anchor and anchor not in anchors(texts.get(there, "")):
            yield f"{path}:{number}: no heading {target}"


def main():
    texts = {}
    for path in tracked("*.md"):
        texts[path] = read(path)
    found = [fault for path in texts for fault in faults(path, texts)]
    for path in tracked("*.rs", "*.toml", "*.py", ".ci"):
        found += [f"{path}: no page {page}" for page in sorted(set(PAGE.findall(read(path))))
                  if not os.path.exists(os.path.join(ROOT, page))]
    listed = texts.get("docs/SUMMARY.md", "")
    found += [f"{path}: not in docs/SUMMARY.md" for path in texts
              if path.startswith("docs/") and path != "docs/SUMMARY.md" and f"({path[5:]})" not in listed]
    print("\n".join(found or [f"{len(texts)} pages, {sum(len(list(links(text))) for text in texts.values())} links"]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
